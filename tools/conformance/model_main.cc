// SPDX-License-Identifier: GPL-2.0
// tcpcrypt-model: an agent whose sockets speak tcpcrypt by themselves, for testing the cases without a device.
#include "model.hh"
#include "stack.hh"

#include <netinet/in.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <unistd.h>

using namespace conformance;

namespace {

constexpr int sol_tcp_eno = 0x454e;

class ModelStack : public Stack {
public:
	explicit ModelStack(ModelConfig config) : config_(std::move(config)) {}

	int accept(int fd) override
	{
		int child = Stack::accept(fd);
		if (child >= 0)
			attach(child);
		return child;
	}

	int connect(int fd, const sockaddr *address, socklen_t length) override
	{
		int result = Stack::connect(fd, address, length);
		if (result == 0)
			attach(fd);
		return result;
	}

	ssize_t send(int fd, const void *data, std::size_t length) override
	{
		auto connection = find(fd);
		if (!connection)
			return Stack::send(fd, data, length);
		return connection->send(View(static_cast<const std::uint8_t *>(data), length));
	}

	ssize_t recv(int fd, void *data, std::size_t length, int flags) override
	{
		auto connection = find(fd);
		return connection ? connection->recv(data, length, flags) : Stack::recv(fd, data, length, flags);
	}

	int shutdown(int fd, int how) override
	{
		auto connection = find(fd);
		return connection ? connection->finish_writing(false) : Stack::shutdown(fd, how);
	}

	int close(int fd) override
	{
		auto connection = find(fd);
		if (!connection)
			return Stack::close(fd);
		linger value{};
		socklen_t length = sizeof(value);
		::getsockopt(fd, SOL_SOCKET, SO_LINGER, &value, &length);
		if (value.l_onoff && value.l_linger == 0)
			connection->reset();
		else
			connection->finish_writing(true);
		std::lock_guard guard(lock_);
		connections_.erase(fd);
		// Its destructor waits for its end.
		std::thread([last = std::move(connection)] {}).detach();
		return 0;
	}

	int getsockopt(int fd, int level, int option, void *value, socklen_t *length) override
	{
		auto connection = find(fd);
		if (!connection)
			return Stack::getsockopt(fd, level, option, value, length);
		Bytes content;
		if (level == SOL_SOCKET && option == SO_ERROR) {
			int error = connection->take_error();
			content.resize(sizeof(error));
			std::memcpy(content.data(), &error, sizeof(error));
		} else if (level != sol_tcp_eno) {
			return Stack::getsockopt(fd, level, option, value, length);
		} else if (int error = connection->option(option, content)) {
			errno = error;
			return -1;
		}
		*length = static_cast<socklen_t>(std::min<std::size_t>(*length, content.size()));
		std::memcpy(value, content.data(), *length);
		return 0;
	}

	int poll(pollfd *one, int milliseconds) override
	{
		auto connection = find(one->fd);
		if (!connection)
			return Stack::poll(one, milliseconds);
		one->revents = static_cast<short>(connection->poll(one->events, milliseconds));
		return one->revents ? 1 : 0;
	}

	int ioctl(int fd, unsigned long request, int *value) override
	{
		auto connection = find(fd);
		if (!connection || request != FIONREAD)
			return Stack::ioctl(fd, request, value);
		*value = static_cast<int>(connection->unread());
		return 0;
	}

private:
	std::shared_ptr<ModelConnection> find(int fd)
	{
		std::lock_guard guard(lock_);
		auto found = connections_.find(fd);
		return found == connections_.end() ? nullptr : found->second;
	}

	static std::uint16_t port_of(const sockaddr_storage &address)
	{
		// Port and family are at the same place for both families.
		return ntohs(reinterpret_cast<const sockaddr_in &>(address).sin_port);
	}

	void attach(int fd)
	{
		sockaddr_storage own{};
		sockaddr_storage peer{};
		socklen_t length = sizeof(own);
		getsockname(fd, reinterpret_cast<sockaddr *>(&own), &length);
		length = sizeof(peer);
		getpeername(fd, reinterpret_cast<sockaddr *>(&peer), &length);
		std::istringstream line(
			config_.setting(std::to_string(port_of(own)) + "-" + std::to_string(port_of(peer))));
		std::string outcome;
		std::string role;
		std::string a;
		std::string b;
		std::string tep;
		line >> outcome >> role >> a >> b >> tep;
		if (outcome != "encrypted")
			return;
		auto connection = std::make_shared<ModelConnection>(config_, fd, role == "A", *find_tep(tep), *from_hex(a),
								    *from_hex(b));
		std::lock_guard guard(lock_);
		connections_[fd] = connection;
	}

	ModelConfig config_;
	std::mutex lock_;
	std::map<int, std::shared_ptr<ModelConnection>> connections_;
};

} // namespace

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	ModelConfig config{argv[1], {}};
	for (int i = 2; i < argc; i++)
		config.faults.insert(argv[i]);
	ModelStack stack(std::move(config));
	return serve_agent(stack);
}
