#include "runtime/image/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

#include "runtime/os/error.hpp"

namespace image {

namespace {

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHexLength = 64;

bool is_lowercase_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<Digest> Digest::from_hex(std::string_view hex) {
  if (hex.size() != kHexLength || !is_lowercase_hex(hex)) return std::nullopt;
  return Digest(std::string(hex));
}

std::optional<Digest> Digest::try_parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  return from_hex(text.substr(kPrefix.size()));
}

Digest Digest::parse(std::string_view text) {
  if (auto digest = try_parse(text)) return *std::move(digest);
  throw os::Error("'" + std::string(text.substr(0, 100)) +
                  "' is not a digest of the form sha256:<64 lowercase hexadecimal digits>");
}

Digest Digest::of(std::string_view data) {
  Hasher hasher;
  hasher.update(data);
  return hasher.finish();
}

struct Hasher::Context {
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> evp{EVP_MD_CTX_new()};

  void start() {
    // Neither its configuration nor its names and messages are needed for a digest: they are most
    // of the time that a command would spend in it.
    static const int prepared =
        OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
                                OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS,
                            nullptr);
    static_cast<void>(prepared);
    if (!evp || EVP_DigestInit_ex(evp.get(), EVP_sha256(), nullptr) != 1)
      throw os::Error("start a sha256 digest: OpenSSL refuses");
  }
};

Hasher::Hasher() : context_(std::make_unique<Context>()) { context_->start(); }
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::string_view data) {
  if (EVP_DigestUpdate(context_->evp.get(), data.data(), data.size()) != 1)
    throw os::Error("compute a sha256 digest: OpenSSL refuses");
}

Digest Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned length = 0;
  if (EVP_DigestFinal_ex(context_->evp.get(), raw.data(), &length) != 1)
    throw os::Error("finish a sha256 digest: OpenSSL refuses");
  context_->start();
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(kHexLength);
  for (std::size_t i = 0; i < length; ++i) {
    hex += kDigits[raw[i] >> 4U];
    hex += kDigits[raw[i] & 15U];
  }
  auto digest = Digest::from_hex(hex);
  if (!digest) throw os::Error("finish a sha256 digest: wrong length");
  return *std::move(digest);
}

Digest chain_id(const Digest& parent, const Digest& layer) {
  return parent.empty() ? layer : Digest::of(parent.text() + " " + layer.text());
}

}  // namespace image
