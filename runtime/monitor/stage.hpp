// Where a creation stands: the stages of it by stable number and name, and the record of a failure.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace monitor {

/// The steps from a spec to a running process. The numbers are part of the error record and stay.
enum class Stage : std::uint16_t {
  validate = 1,
  seal = 2,
  cgroup = 3,
  limits = 4,
  netns = 5,
  clone = 6,
  place = 7,
  idmap = 8,
  join_namespace = 9,
  propagation = 10,
  rootfs = 11,
  mount = 12,
  device = 13,
  console = 14,
  sysctl = 15,
  hook = 16,
  pivot = 17,
  cgroup_namespace = 18,
  protected_path = 19,
  lsm = 20,
  descriptors = 21,
  working_directory = 22,
  capabilities = 23,
  identity = 24,
  seccomp = 25,
  lookup = 26,
  gate = 27,
  exec = 28,
};

/// The word for a stage in events and records, e.g. "mount".
std::string_view stage_name(Stage stage);

/// Why a container or an exec could not be started.
struct Failure {
  Stage stage = Stage::validate;
  int errnum = 0;  ///< errno value, 0 when the cause is not a system call
  std::string message;

  /// What a command that ran this reports as its exit code: 127 when the program is not there, 126
  /// when it cannot be executed, 125 for everything else.
  int exit_code() const;
};

/// The failure that the exception being handled stands for, at `stage`. To be called in a catch.
Failure current_failure(Stage stage);

/// A failure of another process, or one whose stage is known where it is thrown.
class StageError : public std::exception {
 public:
  explicit StageError(Failure failure) : failure_(std::move(failure)) {}
  const Failure& failure() const noexcept { return failure_; }
  const char* what() const noexcept override { return failure_.message.c_str(); }

 private:
  Failure failure_;
};

}  // namespace monitor
