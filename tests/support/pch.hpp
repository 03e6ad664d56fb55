// Precompiled header of the tests: what nearly every test includes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/os/pch.hpp"
