#include "runtime/image/decoder.hpp"

#include <bzlib.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <zstd.h>

#include "runtime/os/error.hpp"
#include "runtime/os/library.hpp"

namespace image {

namespace {

/// What decoding may take of memory: the largest windows that xz -9 and zstd --long=27 make.
constexpr std::uint64_t kMemoryLimit = std::uint64_t{256} << 20;
constexpr int kLargestWindowLog = 27;

[[noreturn]] void damaged(const char* format, const std::string& reason) {
  throw os::Error(std::string("decompress ") + format + ": " + reason);
}

/// ISA-L, two to three times as fast as zlib; loaded when a layer is unpacked.
struct Inflate {
  os::Library library{"libisal.so.2"};
  decltype(::isal_inflate_init)* init =
      library.function<decltype(::isal_inflate_init)>("isal_inflate_init");
  decltype(::isal_inflate)* run = library.function<decltype(::isal_inflate)>("isal_inflate");
};

const Inflate& inflate() {
  static const Inflate functions;
  return functions;
}

class GzipDecoder final : public Decoder {
 public:
  void start() override {
    inflate().init(&state_);
    state_.crc_flag = ISAL_GZIP;
    done_ = false;
  }
  std::size_t decode(std::string_view& input, char* output, std::size_t size) override {
    state_.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(input.data()));
    state_.avail_in = static_cast<std::uint32_t>(input.size());
    state_.next_out = reinterpret_cast<std::uint8_t*>(output);
    state_.avail_out = static_cast<std::uint32_t>(size);
    const int result = inflate().run(&state_);
    if (result == ISAL_INCORRECT_CHECKSUM) damaged("gzip", "its checksum is another");
    if (result < 0) damaged("gzip", "damaged (" + std::to_string(result) + ")");
    input.remove_prefix(input.size() - state_.avail_in);
    done_ = state_.block_state == ISAL_BLOCK_FINISH;
    return size - state_.avail_out;
  }

 private:
  inflate_state state_{};
};

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : context_(::ZSTD_createDCtx()) {
    if (!context_) throw os::Error(ENOMEM, "start to decompress");
    ::ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kLargestWindowLog);
  }
  void start() override {
    ::ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
    done_ = false;
  }
  std::size_t decode(std::string_view& input, char* output, std::size_t size) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output, size, 0};
    const std::size_t result = ::ZSTD_decompressStream(context_.get(), &out, &in);
    if (::ZSTD_isError(result) != 0) damaged("zstd", ::ZSTD_getErrorName(result));
    input.remove_prefix(in.pos);
    done_ = result == 0;
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const noexcept { ::ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_;
};

class XzDecoder final : public Decoder {
 public:
  ~XzDecoder() override { ::lzma_end(&stream_); }
  void start() override {
    if (::lzma_stream_decoder(&stream_, kMemoryLimit, 0) != LZMA_OK)
      throw os::Error(ENOMEM, "start to decompress");
    done_ = false;
  }
  std::size_t decode(std::string_view& input, char* output, std::size_t size) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(input.data());
    stream_.avail_in = input.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(output);
    stream_.avail_out = size;
    const lzma_ret result = ::lzma_code(&stream_, LZMA_RUN);
    done_ = result == LZMA_STREAM_END;
    if (result == LZMA_MEMLIMIT_ERROR) damaged("xz", "it needs more than 256 MiB of memory");
    if (result != LZMA_OK && result != LZMA_BUF_ERROR && !done_)
      damaged("xz", "damaged (" + std::to_string(result) + ")");
    input.remove_prefix(input.size() - stream_.avail_in);
    return size - stream_.avail_out;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class Bzip2Decoder final : public Decoder {
 public:
  ~Bzip2Decoder() override { ::BZ2_bzDecompressEnd(&stream_); }
  void start() override {
    ::BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
    if (::BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK)
      throw os::Error(ENOMEM, "start to decompress");
    done_ = false;
  }
  std::size_t decode(std::string_view& input, char* output, std::size_t size) override {
    stream_.next_in = const_cast<char*>(input.data());
    stream_.avail_in = static_cast<unsigned>(input.size());
    stream_.next_out = output;
    stream_.avail_out = static_cast<unsigned>(size);
    const int result = ::BZ2_bzDecompress(&stream_);
    done_ = result == BZ_STREAM_END;
    if (result != BZ_OK && !done_) damaged("bzip2", "damaged (" + std::to_string(result) + ")");
    input.remove_prefix(input.size() - stream_.avail_in);
    return size - stream_.avail_out;
  }

 private:
  bz_stream stream_{};
};

std::unique_ptr<Decoder> unstarted(const std::string& compression) {
  if (compression == "gzip") return std::make_unique<GzipDecoder>();
  if (compression == "zstd") return std::make_unique<ZstdDecoder>();
  if (compression == "xz") return std::make_unique<XzDecoder>();
  return std::make_unique<Bzip2Decoder>();
}

}  // namespace

std::unique_ptr<Decoder> make_decoder(const std::string& compression) {
  std::unique_ptr<Decoder> decoder = unstarted(compression);
  decoder->start();
  return decoder;
}

}  // namespace image
