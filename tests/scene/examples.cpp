// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0

#include "examples.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include "all_to_all_distributed/all_to_all_distributed.hpp"
#include "allgather_distributed/allgather_distributed.hpp"
#include "allreduce_distributed/allreduce_distributed.hpp"
#include "broadcast_distributed/broadcast_distributed.hpp"
#include "dual_domain_overlap/dual_domain_overlap.hpp"
#include "ep_dispatch_combine/ep_dispatch_combine.hpp"
#include "ffn_tp_parallel/ffn_tp_parallel.hpp"
#include "reduce_scatter_distributed/reduce_scatter_distributed.hpp"

namespace tileput::scene {

using example::Payload;

// Counts that do not divide by the ranks, and lie beside a multiple of the line.
const std::vector<Example>& examples() {
  static const std::vector<Example> all{
      {.name = "all_to_all_distributed",
       .make =
           [](int ranks, Payload payload) {
             return example::make_all_to_all_distributed({.ranks = ranks, .count = 65, .payload = payload});
           }},
      {.name = "all_to_all_distributed_pull",
       .make =
           [](int ranks, Payload payload) {
             return example::make_all_to_all_distributed(
                 {.ranks = ranks, .count = 65, .variant = "pull", .payload = payload});
           }},
      {.name = "allgather_distributed",
       .make =
           [](int ranks, Payload payload) {
             return example::make_allgather_distributed({.ranks = ranks, .count = 65, .payload = payload});
           }},
      {.name = "broadcast_distributed",
       .make =
           [](int ranks, Payload payload) {
             return example::make_broadcast_distributed(
                 {.ranks = ranks, .count = 65, .roots = {ranks - 1, 0, 1}, .payload = payload});
           }},
      {.name = "ep_dispatch_combine",
       .make =
           [](int ranks, Payload payload) {
             return example::make_ep_dispatch_combine({.ranks = ranks,
                                                       .payload = payload,
                                                       .tokens = 5,
                                                       .topk = 3,
                                                       .hidden = 33,
                                                       .experts_per_rank = 4,
                                                       .capacity = static_cast<std::uint32_t>(5 * ranks)});
           }},
      {.name = "reduce_scatter_distributed",
       .make =
           [](int ranks, Payload payload) {
             return example::make_reduce_scatter_distributed({.ranks = ranks, .count = 65, .payload = payload});
           }},
      {.name = "allreduce_distributed_onephase",
       .make =
           [](int ranks, Payload payload) {
             return example::make_allreduce_distributed(
                 {.ranks = ranks, .mode = "onephase", .count = 65, .payload = payload});
           }},
      {.name = "allreduce_distributed_twophase",
       .make =
           [](int ranks, Payload payload) {
             return example::make_allreduce_distributed(
                 {.ranks = ranks, .mode = "twophase", .count = 65, .payload = payload});
           }},
      {.name = "allreduce_distributed_ring",
       .make =
           [](int ranks, Payload payload) {
             return example::make_allreduce_distributed(
                 {.ranks = ranks, .mode = "ring", .count = 65, .payload = payload});
           }},
      {.name = "allreduce_distributed_bidirectional_ring",
       .make =
           [](int ranks, Payload payload) {
             return example::make_allreduce_distributed(
                 {.ranks = ranks, .mode = "bidirectional_ring", .count = 65, .payload = payload});
           }},
      {.name = "allreduce_distributed_ibing",
       .make =
           [](int ranks, Payload payload) {
             return example::make_allreduce_distributed(
                 {.ranks = ranks, .mode = "ibing", .count = 65, .payload = payload});
           },
       .ranks = {2},
       .checked_ranks = {2}},
      {.name = "dual_domain_overlap",
       .make = [](int ranks,
                  Payload payload) { return example::make_dual_domain_overlap({.ranks = ranks, .payload = payload}); }},
      {.name = "ffn_tp_parallel",
       .make = [](int ranks,
                  Payload payload) { return example::make_ffn_tp_parallel({.ranks = ranks, .payload = payload}); }},
  };
  return all;
}

void use_example_kernels(const std::string& first) {
  const std::string path = first.empty() ? EXAMPLE_DIRECTORIES : first + ":" + EXAMPLE_DIRECTORIES;
  setenv("TILEPUT_KERNEL_PATH", path.c_str(), 1);
}

std::string differences(const example::Scene& scene) {
  std::string text;
  for (const example::RankCheck& check : scene.check()) {
    if (!check.matches) {
      text += fmt::format("rank {}: {}\n", check.rank, check.detail);
    }
  }
  return text;
}

std::string run_and_compare(Worker& worker, example::Scene& scene, std::uint64_t round, std::uint32_t calls) {
  scene.fill(round);
  worker.run([&](Orchestrator& o) { scene.submit(o, {.calls = calls}); });
  return differences(scene);
}

}  // namespace tileput::scene
