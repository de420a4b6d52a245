// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What race_kernel.cpp does, one step a task.
enum class RaceStep : int {
  kNothing,
  kPut,   ///< TPUT into the first words of 'data' of the next rank
  kLoad,  ///< TLOAD of these words of the own window
};
