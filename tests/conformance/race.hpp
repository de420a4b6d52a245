// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What race_kernel.cpp does, one step a task.
enum class RaceStep : int {
  kNothing,
  kPut,      ///< TPUT into the first words of 'data' of the next rank
  kLoad,     ///< TLOAD of these words of the own window
  kSend,     ///< kPut, then TNOTIFY of the next rank's last word
  kReceive,  ///< TWAIT for the own last word to be at least 1, then kLoad
  kReload,   ///< TSTORE to the own first words, and TLOAD of them without waiting for it
};
