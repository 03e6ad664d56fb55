// Compresses bytes in memory, for archives that tests make.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <string>

#include "runtime/os/error.hpp"

namespace image {

inline std::string compress(const std::string& data, const std::string& compression) {
  if (compression.empty()) return data;
  archive* writer = archive_write_new();
  std::string out(data.size() + (1 << 20), '\0');
  std::size_t used = 0;
  archive_write_set_format_raw(writer);
  archive_write_set_bytes_per_block(writer, 0);
  archive_write_add_filter_by_name(writer, compression.c_str());
  archive_write_open_memory(writer, out.data(), out.size(), &used);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(writer, entry);
  const bool written = archive_write_data(writer, data.data(), data.size()) ==
                           static_cast<la_ssize_t>(data.size()) &&
                       archive_write_close(writer) == ARCHIVE_OK;
  archive_entry_free(entry);
  archive_write_free(writer);
  if (!written) throw os::Error("compress test data with " + compression);
  out.resize(used);
  return out;
}

}  // namespace image
