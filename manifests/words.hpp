// The words that stand for the enumerations of stack.hpp, both ways.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "manifests/stack.hpp"

namespace manifests {

template <class Enum>
struct Words;

template <>
struct Words<Condition> {
  static constexpr std::pair<Condition, std::string_view> all[] = {
      {Condition::service_started, "service_started"},
      {Condition::service_healthy, "service_healthy"},
      {Condition::service_completed_successfully, "service_completed_successfully"}};
};

template <>
struct Words<Protocol> {
  static constexpr std::pair<Protocol, std::string_view> all[] = {
      {Protocol::tcp, "tcp"}, {Protocol::udp, "udp"}, {Protocol::sctp, "sctp"}};
};

template <>
struct Words<MountType> {
  static constexpr std::pair<MountType, std::string_view> all[] = {
      {MountType::bind, "bind"},   {MountType::volume, "volume"}, {MountType::tmpfs, "tmpfs"},
      {MountType::image, "image"}, {MountType::npipe, "npipe"},   {MountType::cluster, "cluster"}};
};

template <>
struct Words<WatchAction> {
  static constexpr std::pair<WatchAction, std::string_view> all[] = {
      {WatchAction::sync, "sync"},
      {WatchAction::rebuild, "rebuild"},
      {WatchAction::restart, "restart"},
      {WatchAction::sync_restart, "sync+restart"},
      {WatchAction::sync_exec, "sync+exec"}};
};

template <class Enum>
constexpr std::string_view word_of(Enum value) {
  for (const auto& [candidate, word] : Words<Enum>::all) {
    if (candidate == value) return word;
  }
  return {};
}

template <class Enum>
std::optional<Enum> value_of(std::string_view text) {
  for (const auto& [value, word] : Words<Enum>::all) {
    if (word == text) return value;
  }
  return std::nullopt;
}

}  // namespace manifests
