// SPDX-FileCopyrightText: The tileput authors
// SPDX-License-Identifier: Apache-2.0
#include "tileput/worker.hpp"

#include <algorithm>
#include <utility>

#include "orchestration/worker_impl.hpp"

namespace tileput {

struct SharedMemory::Release {
  std::weak_ptr<Worker::Impl> worker;  // a worker that is gone has taken the memory along
  orchestration::SharedStore::Block block;

  Release(const std::shared_ptr<Worker::Impl>& owner, orchestration::SharedStore::Block owned)
      : worker(owner), block(owned) {}
  Release(const Release&) = delete;
  Release& operator=(const Release&) = delete;
  ~Release() {
    if (const auto owner = worker.lock()) {
      try {
        owner->release_shared(block);
      } catch (const std::exception&) {  // out of memory: the block ends with the worker
      }
    }
  }
};

SharedMemory::SharedMemory(std::byte* data, std::uint64_t bytes, std::shared_ptr<Release> release) noexcept
    : data_(data), bytes_(bytes), release_(std::move(release)) {}
SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      release_(std::move(other.release_)) {}
SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  data_ = std::exchange(other.data_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  release_ = std::move(other.release_);
  return *this;
}
SharedMemory::~SharedMemory() = default;

Worker::Worker(const WorkerOptions& options) : impl_(std::make_shared<Impl>(options)) {}
Worker::~Worker() = default;

int Worker::ranks() const noexcept { return impl_->ranks(); }
std::vector<RankInfo> Worker::rank_infos() const { return impl_->rank_infos(); }
Callable Worker::load(const CallableSpec& spec) { return impl_->load(spec); }

SharedMemory Worker::allocate_tensor(std::uint64_t bytes) {
  const auto block = impl_->allocate_shared(bytes);
  return {impl_->address_of(block), bytes, std::make_shared<SharedMemory::Release>(impl_, block)};
}

RunReport Worker::run(const std::function<void(Orchestrator&)>& program) { return impl_->run(*this, program); }

const CheckReport& Worker::last_check() const noexcept { return impl_->last_check(); }

bool CheckReport::has_errors() const noexcept {
  return std::any_of(findings.begin(), findings.end(), [](const CheckFinding& finding) { return !finding.is_warning; });
}

Domain Orchestrator::allocate_domain(const DomainOptions& options) { return worker_.impl_->allocate_domain(options); }

void Orchestrator::release_domain(const Domain& domain) { worker_.impl_->release_domain(domain.id()); }

Submission Orchestrator::submit_group(const Callable& callable, const std::vector<RankTask>& members,
                                      const TaskOptions& options) {
  return worker_.impl_->submit_group(callable, members, options);
}

}  // namespace tileput
