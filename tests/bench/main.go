// Command bench runs the same workloads on Plinth and on other embedded
// stores, in one run on one disk, and prints a table and ratios. From this
// directory:
//
//	go run . --dir DIR-ON-A-REAL-DISK
//	go run . --clients 64 --workloads write10,hot1 --seconds 10 --json out.json
//	go run . --drivers plinth --workloads write10 --clients 64 --rounds 1 --seconds 180
//
// How it measures:
//
//	B1  Every store runs in a child process of its own, on a fresh directory
//	    per round, so that memory is told apart and no store pays for the
//	    garbage of another.
//	B2  Within a round, workload by workload, the stores take turns, and the
//	    order rotates: noise of the machine hits all. Figures are medians over
//	    the rounds.
//	B3  All stores have the same bytes of cache and sync every commit; what
//	    each driver sets beyond that is said in its table entry (drivers.go).
//	B4  Between load and the workloads every store is closed and opened, as by a
//	    program that starts on what is there. Otherwise the first reads would
//	    measure whatever memtable the load happened to end in.
//
// What a workload is and how one is measured is in package internal/bench,
// which "plinth bench" uses too.
//
// It is a module of its own so that Plinth does not depend on its rivals.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/plinthdb/plinth/internal/bench"
)

// workerArgument makes the binary a worker (worker.go) instead of the
// benchmark.
const workerArgument = "worker"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out, progress io.Writer) error {
	if len(args) > 0 && args[0] == workerArgument {
		return serveWorker(ctx, in, out)
	}
	plan, jsonPath, err := parseFlags(args, progress)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	rep, err := plan.run(ctx, progress)
	if err != nil {
		return err
	}
	rep.write(out)
	if jsonPath == "" {
		return nil
	}
	content, err := json.MarshalIndent(rep, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(jsonPath, append(content, '\n'), 0o644)
}

// parseFlags turns the command line into a plan, and the name of the file for
// JSON, if any.
func parseFlags(args []string, usage io.Writer) (*plan, string, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	p := &plan{}
	var names struct{ drivers, workloads, clients string }
	var seconds, warmUp float64
	flags.StringVar(&names.drivers, "drivers", strings.Join(driverNames(), ","), "stores to run")
	flags.StringVar(&names.workloads, "workloads", strings.Join(bench.WorkloadNames(), ","), "workloads to run, in this order after load")
	flags.StringVar(&names.clients, "clients", "1,64", "numbers of client goroutines")
	flags.Float64Var(&seconds, "seconds", 5, "measured time of each workload, store and round")
	flags.Float64Var(&warmUp, "warmup", 3, "seconds before each measurement")
	flags.IntVar(&p.rounds, "rounds", 3, "rounds; figures are medians over them")
	flags.IntVar(&p.settings.Records, "records", 200_000, "records in the store")
	flags.Int64Var(&p.settings.CacheBytes, "cache", 64<<20, "`bytes` of block cache of each store")
	flags.StringVar(&p.dir, "dir", os.TempDir(), "directory on the disk to measure; stores are made below it and removed")
	flags.StringVar(&p.profileDir, "cpuprofile", "", "`directory` for a CPU profile of each measurement")
	jsonPath := flags.String("json", "", "`file` for all figures as JSON")
	if err := flags.Parse(args); err != nil {
		return nil, "", err
	}
	if flags.NArg() > 0 {
		return nil, "", fmt.Errorf("unexpected argument %q: everything is a flag, see --help", flags.Arg(0))
	}
	p.settings.Seconds, p.settings.WarmUpSeconds = seconds, warmUp
	return p, *jsonPath, p.choose(names.drivers, names.workloads, names.clients)
}

// choose fills in drivers, workloads and clients from comma-separated lists.
func (p *plan) choose(driverList, workloadList, clientList string) error {
	for name := range strings.SplitSeq(driverList, ",") {
		if !slices.Contains(driverNames(), name) {
			return fmt.Errorf("unknown driver %q: choose from %v", name, driverNames())
		}
		p.drivers = append(p.drivers, name)
	}
	for name := range strings.SplitSeq(workloadList, ",") {
		if !slices.Contains(bench.WorkloadNames(), name) {
			return fmt.Errorf("unknown workload %q: choose from %v", name, bench.WorkloadNames())
		}
		p.workloads = append(p.workloads, name)
	}
	for text := range strings.SplitSeq(clientList, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("--clients: %q is not a positive number", text)
		}
		p.clients = append(p.clients, n)
	}
	s := p.settings
	if s.Seconds <= 0 || s.WarmUpSeconds < 0 || p.rounds < 1 || s.CacheBytes < 1<<20 || s.Records < bench.MinRecords {
		return fmt.Errorf("need positive --seconds and --rounds, --warmup of 0 or more, --cache of at least 1 MiB and --records of at least %d", bench.MinRecords)
	}
	return nil
}
