// SPDX-License-Identifier: GPL-2.0
// tcpcrypt-conformance: runs the cases against the kernel that it runs on, or against what an agent drives.
#include "cases.hh"
#include "faults.hh"
#include "report.hh"
#include "selftest.hh"
#include "shim.hh"
#include "vectors.hh"

#include <getopt.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <system_error>

using namespace conformance;

namespace {

struct Options {
	bool list = false;
	bool selftest = false;
	bool vectors = false;
	bool model = false;
	bool faults = false;
	bool quick = false;
	bool verbose = false;
	bool own_namespace = true;
	bool v4 = true;
	bool v6 = true;
	unsigned scale = 1;
	unsigned repeat = 1;
	std::vector<std::string> only;
	std::vector<std::string> skip;
	std::set<std::string> fault;
	std::string junit;
	std::string agent;
	std::string interface = "eno0";
};

constexpr const char *usage_text =
	"usage: tcpcrypt-conformance [OPTION]...\n"
	"Tests an implementation of TCP-ENO (RFC 8547) and tcpcrypt (RFC 8548).\n"
	"\n"
	"  --list            print the names of the cases and the requirements that they show\n"
	"  --only PATTERN    only cases with this requirement ID, or this text in their name; repeatable\n"
	"  --skip PATTERN    not these; repeatable\n"
	"  --v4, --v6        only over IPv4, only over IPv6\n"
	"  --junit FILE      write the results as JUnit XML, too\n"
	"  --agent COMMAND   the agent program; default: tcpcrypt-agent beside this program\n"
	"  --interface NAME  name of the TUN device; default eno0\n"
	"  --here            stay in this network namespace; default: a new one\n"
	"  --scale N         multiply time limits by N\n"
	"  --repeat N        run everything N times\n"
	"  --quick           leave out the cases that take long, and most over IPv6;\n"
	"                    less data in others\n"
	"  --selftest        the peer against itself, and known answers\n"
	"  --vectors         print test vectors as JSON, from private keys to frames\n"
	"  --model           test a model device, in user space, where no module is loaded\n"
	"  --fault NAME      give the model this fault; repeatable\n"
	"  --faults          give the model each fault in turn: the cases must find it\n"
	"  -v, --verbose     trace segments and the agent's answers to standard error\n"
	"  -h, --help\n"
	"\n"
	"Exit status: 0 all passed, 1 something failed, 2 usage or setup.\n";

unsigned positive(const char *argument)
{
	char *end;
	unsigned long value = std::strtoul(argument, &end, 10);
	if (*end || value == 0 || value > UINT_MAX) {
		std::fprintf(stderr, "tcpcrypt-conformance: not a positive number: %s\n", argument);
		std::exit(2);
	}
	return static_cast<unsigned>(value);
}

Options parse(int argc, char **argv)
{
	enum { LIST = 256, ONLY, SKIP, V4, V6, JUNIT, AGENT, INTERFACE, HERE, SCALE, REPEAT, SELFTEST,
	       MODEL, FAULT, FAULTS, QUICK, VECTORS };
	static const ::option longs[] = {
		{"list", no_argument, nullptr, LIST},	      {"only", required_argument, nullptr, ONLY},
		{"skip", required_argument, nullptr, SKIP},   {"v4", no_argument, nullptr, V4},
		{"v6", no_argument, nullptr, V6},	      {"junit", required_argument, nullptr, JUNIT},
		{"agent", required_argument, nullptr, AGENT}, {"interface", required_argument, nullptr, INTERFACE},
		{"here", no_argument, nullptr, HERE},	      {"scale", required_argument, nullptr, SCALE},
		{"repeat", required_argument, nullptr, REPEAT},
		{"selftest", no_argument, nullptr, SELFTEST}, {"verbose", no_argument, nullptr, 'v'},
		{"model", no_argument, nullptr, MODEL},	      {"fault", required_argument, nullptr, FAULT},
		{"faults", no_argument, nullptr, FAULTS},     {"quick", no_argument, nullptr, QUICK},
		{"vectors", no_argument, nullptr, VECTORS},   {"help", no_argument, nullptr, 'h'},
		{nullptr, 0, nullptr, 0},
	};
	Options options;
	for (int c; (c = getopt_long(argc, argv, "vh", longs, nullptr)) != -1;) {
		switch (c) {
		case LIST: options.list = true; break;
		case ONLY: options.only.emplace_back(optarg); break;
		case SKIP: options.skip.emplace_back(optarg); break;
		case V4: options.v6 = false; break;
		case V6: options.v4 = false; break;
		case JUNIT: options.junit = optarg; break;
		case AGENT: options.agent = optarg; break;
		case INTERFACE: options.interface = optarg; break;
		case HERE: options.own_namespace = false; break;
		case SCALE: options.scale = positive(optarg); break;
		case REPEAT: options.repeat = positive(optarg); break;
		case SELFTEST: options.selftest = true; break;
		case VECTORS: options.vectors = true; break;
		case MODEL: options.model = true; break;
		case FAULT: options.fault.insert(optarg); break;
		case FAULTS: options.faults = true; break;
		case QUICK: options.quick = true; break;
		case 'v': options.verbose = true; break;
		case 'h': std::fputs(usage_text, stdout); std::exit(0);
		default: std::fputs(usage_text, stderr); std::exit(2);
		}
	}
	if (optind < argc || (!options.v4 && !options.v6)) {
		std::fputs(usage_text, stderr);
		std::exit(2);
	}
	return options;
}

bool has_id(const std::string &ids, const std::string &id)
{
	return (" " + ids + " ").find(" " + id + " ") != std::string::npos;
}

bool matches(const std::vector<std::string> &patterns, const Case &one, const std::string &name)
{
	return std::any_of(patterns.begin(), patterns.end(), [&](const std::string &pattern) {
		return has_id(one.ids, pattern) || name.find(pattern) != std::string::npos;
	});
}

/** One case in one role over one family. */
struct Planned {
	const Case *one;
	Role role;
	Family family;
	std::string name;
};

std::vector<Planned> plan(const Cases &cases, const Options &options)
{
	std::vector<Planned> out;
	for (const Case &one : cases) {
		for (Role role : {Role::active, Role::passive}) {
			if (one.roles != Roles::both && (one.roles == Roles::active) != (role == Role::active))
				continue;
			for (Family family : {Family::v4, Family::v6}) {
				if (family == Family::v4 ? !options.v4 : !options.v6 || one.v4_only)
					continue;
				std::string name = one.ids.substr(0, one.ids.find(' ')) + "." + one.name +
						   (role == Role::active ? ".active" : ".passive") +
						   (family == Family::v4 ? ".v4" : ".v6");
				if (options.quick && (one.slow || (family == Family::v6 && (&one - cases.data()) % 8)))
					continue;
				if (!options.only.empty() && !matches(options.only, one, name))
					continue;
				if (matches(options.skip, one, name))
					continue;
				out.push_back({&one, role, family, name});
			}
		}
	}
	return out;
}

std::string beside_us(const char *program)
{
	char path[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
	if (length <= 0)
		return program;
	std::string name(path, static_cast<std::size_t>(length));
	return name.substr(0, name.rfind('/') + 1) + program;
}

Result run_one(const Planned &planned, const Options &options, Wire &wire, const std::string &agent,
	       std::unique_ptr<Device> &device)
{
	Result result{planned.name, Verdict::passed, "", 0};
	auto start = Clock::now();
	if (wire.trace)
		std::fprintf(stderr, "# === %s\n", planned.name.c_str());
	try {
		if (!device)
			device = std::make_unique<Device>(wire, agent);
		Run run{wire, planned.family, planned.role, *device, options.quick};
		planned.one->body(run);
	} catch (const Skip &skip) {
		result.verdict = Verdict::skipped;
		result.reason = skip.what();
	} catch (const std::exception &error) {
		result.verdict = Verdict::failed;
		result.reason = error.what();
	}
	if (device && !device->recycle())
		device.reset();
	result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
	return result;
}

/** The network that the cases run in: a namespace, a link, and its event loop. */
struct Network {
	explicit Network(const Options &options) : link(enter(options)), wire(link)
	{
		wire.trace = options.verbose;
		wire.scale = options.scale;
	}
	static Link enter(const Options &options)
	{
		if (options.own_namespace && unshare(CLONE_NEWNET) < 0)
			throw std::system_error(errno, std::generic_category(), "a new network namespace (are you root?)");
		return open_tun(options.interface);
	}
	Link link;
	Wire wire;
};

void run_all(const Options &options, const std::vector<Planned> &planned, Report &report)
{
	Network network(options);
	// Cases about fresh key exchange want none of an earlier case's secrets.
	std::unique_ptr<Setting> no_resumption;
	if (read_sysctl("net.tcpcrypt.resume"))
		no_resumption = std::make_unique<Setting>("net.tcpcrypt.resume", "0");
	// Nor what an earlier one has shown of the path.
	std::unique_ptr<Setting> no_memory;
	if (read_sysctl("net.tcpcrypt.path_lifetime"))
		no_memory = std::make_unique<Setting>("net.tcpcrypt.path_lifetime", "0");
	std::string agent = options.agent.empty() ? beside_us("tcpcrypt-agent") : options.agent;
	std::unique_ptr<Device> device;
	for (unsigned i = 0; i < options.repeat; i++)
		for (const Planned &one : planned)
			report.add(run_one(one, options, network.wire, agent, device));
}

void run_model(const Options &options, const std::vector<Planned> &planned, Report &report)
{
	Network network(options);
	ModelDirectory directory;
	redirect_sysctls(directory.path());
	std::string agent = directory.command(beside_us("tcpcrypt-model"), options.fault);
	std::unique_ptr<Device> device;
	for (unsigned i = 0; i < options.repeat; i++)
		for (const Planned &one : planned) {
			if (const char *what = model_lacks(one.name)) {
				report.add({one.name, Verdict::skipped, std::string("the model has no ") + what, 0});
				continue;
			}
			Shim shim(directory.path(), options.fault);
			network.wire.shim = &shim;
			report.add(run_one(one, options, network.wire, agent, device));
			network.wire.shim = nullptr;
		}
}

/** Each fault of the model makes the case fail that is there to find it. */
void run_faults(const Options &options, const std::vector<Planned> &planned, Report &report)
{
	Network network(options);
	for (const Fault &fault : all_faults()) {
		std::string name = std::string("fault.") + fault.name + ".found-by." + fault.found_by;
		auto found = std::find_if(planned.begin(), planned.end(),
					  [&](const Planned &one) { return one.name == fault.found_by; });
		if (found == planned.end()) {
			report.add({name, Verdict::failed, "there is no such case", 0});
			continue;
		}
		ModelDirectory directory;
		redirect_sysctls(directory.path());
		Shim shim(directory.path(), {fault.name});
		network.wire.shim = &shim;
		std::unique_ptr<Device> device;
		std::string agent = directory.command(beside_us("tcpcrypt-model"), {fault.name});
		Result result = run_one(*found, options, network.wire, agent, device);
		device.reset();
		network.wire.shim = nullptr;
		bool failed = result.verdict == Verdict::failed;
		if (options.verbose)
			std::fprintf(stderr, "# the case says: %s\n", result.reason.c_str());
		report.add({name, failed ? Verdict::passed : Verdict::failed, "the case passes in spite of the fault",
			    result.seconds});
	}
}

int run_main(const Options &options)
{
	if (options.vectors) {
		std::fputs(make_vectors().c_str(), stdout);
		return std::fflush(stdout) == 0 ? 0 : 2;
	}
	Cases cases = all_cases();
	std::vector<Planned> planned = plan(cases, options);
	if (options.list) {
		for (const Planned &one : planned)
			std::printf("%s\t%s\n", one.name.c_str(), one.one->ids.c_str());
		return 0;
	}
	if (planned.empty()) {
		std::fprintf(stderr, "tcpcrypt-conformance: no such case; try --list\n");
		return 2;
	}
	if ((options.model || options.faults) && read_sysctl("net.tcpcrypt.enable_connect")) {
		std::fprintf(stderr, "tcpcrypt-conformance: the model stands on this kernel's TCP, which tcpcrypt encrypts; "
				     "unload the module\n");
		return 2;
	}
	Report report;
	if (options.selftest)
		selftest(report, options.verbose);
	if (options.model)
		run_model(options, planned, report);
	if (options.faults)
		run_faults(options, planned, report);
	if (!options.selftest && !options.model && !options.faults)
		run_all(options, planned, report);
	report.summarize();
	if (!options.junit.empty())
		report.write_junit(options.junit);
	return report.failed() ? 1 : 0;
}

} // namespace

int main(int argc, char **argv)
{
	std::signal(SIGPIPE, SIG_IGN);
	try {
		return run_main(parse(argc, argv));
	} catch (const std::exception &error) {
		std::fprintf(stderr, "tcpcrypt-conformance: %s\n", error.what());
		return 2;
	}
}
