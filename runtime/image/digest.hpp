// Content digests (OCI image specification, descriptor.md, "Digests"). Only sha256 is produced and
// accepted: it is the one algorithm that every implementation must know.
#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace image {

/// The sha256 of some bytes; its text is "sha256:" and 64 lowercase hexadecimal digits.
class Digest {
 public:
  /// An empty value that stands for no digest; equal only to itself.
  Digest() = default;
  /// Throws os::Error unless `text` is a well-formed sha256 digest.
  static Digest parse(std::string_view text);
  static std::optional<Digest> try_parse(std::string_view text);
  /// The digest whose 64 hexadecimal digits these are, nothing when they are not.
  static std::optional<Digest> from_hex(std::string_view hex);
  /// The digest of `data`.
  static Digest of(std::string_view data);

  bool empty() const noexcept { return hex_.empty(); }
  /// 64 lowercase hexadecimal digits.
  const std::string& hex() const noexcept { return hex_; }
  /// "sha256:…"
  std::string text() const { return "sha256:" + hex_; }
  /// The first 12 hexadecimal digits, as tables show ids.
  std::string short_id() const { return hex_.substr(0, 12); }

  auto operator<=>(const Digest&) const = default;

 private:
  explicit Digest(std::string hex) : hex_(std::move(hex)) {}
  std::string hex_;
};

/// Computes a digest while the bytes pass by.
class Hasher {
 public:
  Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();
  void update(std::string_view data);
  /// The digest of all that was given. The hasher starts anew.
  Digest finish();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// The chain id of `layer` (a diff id) on top of the layers that `parent` is the chain id of; an
/// empty parent means the bottom (image-spec config.md, "Layer ChainID").
Digest chain_id(const Digest& parent, const Digest& layer);

}  // namespace image
