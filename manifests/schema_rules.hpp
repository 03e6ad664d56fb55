// The rules that many attributes share: scalars, lists, dictionaries. For the tables of schema
// alone.
#pragma once

#include <algorithm>
#include <iterator>
#include <limits>

#include "manifests/schema.hpp"

namespace manifests::rules {

inline bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

inline bool is_name_character(char c) {
  return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
}

inline bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_name_character);
}

inline bool is_lower_word(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

inline bool is_container_name(std::string_view text) {
  return text.size() >= 2 && is_alphanumeric(text.front()) && is_name(text);
}

inline bool is_pull_policy(std::string_view text) {
  static constexpr std::string_view kWords[] = {"always",  "never",   "build", "if_not_present",
                                                "missing", "refresh", "daily", "weekly"};
  if (std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords)) return true;
  if (!text.starts_with("every_")) return false;
  text.remove_prefix(6);
  bool digits = false;
  bool complete = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      digits = true;
      complete = false;
    } else if (digits && std::string_view("wdhms").find(c) != std::string_view::npos) {
      digits = false;
      complete = true;
    } else {
      return false;
    }
  }
  return complete;
}

inline const Pattern kName{"^[a-zA-Z0-9._-]+$", is_name};
inline const Pattern kLowerWord{"^[a-z]+$", is_lower_word};
inline const Pattern kContainerName{"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$", is_container_name};
inline const Pattern kPullPolicy{
    "^(always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+)$",
    is_pull_policy};

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// ---------------------------------------------------------------- scalars

inline const Rule text{.forms = form::string};
inline const Rule text_or_null{.forms = form::string | form::null};
inline const Rule text_or_number{.forms = form::string | form::number};
inline const Rule text_number_or_null{.forms = form::string | form::number | form::null};
inline const Rule text_or_integer{.forms = form::string | form::integer};
inline const Rule text_or_boolean{.forms = form::string | form::boolean};
inline const Rule scalar{.forms = form::string | form::number | form::boolean};
inline const Rule scalar_or_null{.forms = form::string | form::number | form::boolean | form::null};
inline const Rule flag{.forms = form::boolean | form::string, .reads = Reads::boolean};
inline const Rule strict_flag{.forms = form::boolean, .reads = Reads::boolean};
inline const Rule integer{.forms = form::integer | form::string, .reads = Reads::integer};
inline const Rule strict_integer{.forms = form::integer, .reads = Reads::integer};
inline const Rule count{.forms = form::number | form::string, .reads = Reads::integer};
inline const Rule priority{.forms = form::number, .reads = Reads::integer};
inline const Rule number{.forms = form::number | form::string, .reads = Reads::number};
inline const Rule bytes{.forms = form::number | form::string, .reads = Reads::bytes};
inline const Rule bytes_text{.forms = form::string, .reads = Reads::bytes};
inline const Rule duration{.forms = form::string, .reads = Reads::duration};
inline const Rule microseconds{.forms = form::number | form::string, .reads = Reads::microseconds};
inline const Rule file_mode{.forms = form::number | form::string, .reads = Reads::file_mode};
inline const Rule tmpfs_size{.forms = form::integer | form::string,
                             .reads = Reads::bytes,
                             .minimum = 0,
                             .maximum = kInfinity};
inline const Rule non_negative{.forms = form::integer | form::string,
                               .reads = Reads::integer,
                               .minimum = 0,
                               .maximum = kInfinity};
inline const Rule percent{
    .forms = form::integer | form::string, .reads = Reads::number, .minimum = 0, .maximum = 100};
inline const Rule oom_score{.forms = form::integer | form::string,
                            .reads = Reads::integer,
                            .minimum = -1000,
                            .maximum = 1000};

// ---------------------------------------------------------------- lists and dictionaries

inline const Rule texts{.forms = form::list, .item = &text};
inline const Rule unique_texts{.forms = form::list, .item = &text, .unique = true};
inline const Rule text_or_texts{.forms = form::string | form::list, .item = &text};
inline const Rule texts_or_numbers{.forms = form::list, .item = &text_or_number};
inline const Rule unique_texts_or_numbers{
    .forms = form::list, .item = &text_or_number, .unique = true};
inline const Rule command{.forms = form::null | form::string | form::list, .item = &text};
inline const Rule dictionary{
    .forms = form::map | form::list, .item = &text, .value = &scalar_or_null, .extensible = false};
inline const Rule options{.forms = form::map, .value = &text_or_number};
inline const Rule text_options{.forms = form::map, .value = &text};
inline const Rule logging_options{.forms = form::map, .value = &text_number_or_null};
inline const Rule repeated{.forms = form::string | form::number | form::boolean | form::list,
                           .item = &scalar};
inline const Rule provider_options{.forms = form::map, .value = &repeated};
inline const Rule addresses{.forms = form::string | form::list, .item = &text};
inline const Rule extra_hosts{.forms = form::map | form::list,
                              .item = &text,
                              .unique = true,
                              .value = &addresses,
                              .extensible = false};

/// `services.NAME` (schema_service.cpp).
extern const Rule service;

}  // namespace manifests::rules
