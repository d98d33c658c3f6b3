package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/plinthdb/plinth/internal/bench"
	plinthdriver "github.com/plinthdb/plinth/internal/bench/plinth"
)

// expectEmpty fails the test unless nothing is left in the directory.
func expectEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBenchPrintsATableAndLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	status, out, errOut := plinth(t, "bench", "--dir", dir, "--clients", "1,3", "--workloads", "write1,read1,hot1",
		"--seconds", "0.5", "--warmup", "0", "--records", "300", "--cache", "1048576")
	if status != statusOK {
		t.Fatalf("exit status %d, %q", status, errOut)
	}
	for _, want := range []string{
		"on the disk of the store: median", "300 records", "fsyncs", "max memory", "load", "write1", "read1",
		"A durable write of one client takes", "hot1 with 1 client: the final value equals the", "hot1 with 3 clients: the final value equals",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not mention %q:\n%s", want, out)
		}
	}
	if n := strings.Count(errOut, "tx/s"); n != 8 {
		t.Errorf("%d lines of progress, want 8: %q", n, errOut)
	}
	expectEmpty(t, dir)
}

func TestBenchAsJSONRelatesWritesToTheDisk(t *testing.T) {
	out, _ := mustRun(t, "", "bench", "--dir", t.TempDir(), "--clients", "2", "--workloads", "write1,read1", "--seconds", "0.5",
		"--warmup", "0", "--records", "300", "--json")
	var r benchReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Results) != 3 || r.Interrupted || r.Fsync.MedianMicros <= 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	load, write, read := r.Results[0], r.Results[1], r.Results[2]
	if load.Workload != bench.LoadName || load.Transactions != 3 || load.Clients != 2 {
		t.Errorf("load: %+v", load)
	}
	if got := write.P50Micros / r.Fsync.MedianMicros; write.Workload != "write1" || write.Fsyncs <= 0 || write.Fsyncs != got {
		t.Errorf("write1 takes %g fsyncs, want %g: %+v", write.Fsyncs, got, write)
	}
	if read.Workload != "read1" || read.Fsyncs != 0 || read.PerSecond <= 0 || read.MaxHeapBytes == 0 {
		t.Errorf("read1: %+v", read)
	}
}

func TestBenchRefusesFlagsThatMakeNoSenseBeforeItBegins(t *testing.T) {
	dir := t.TempDir()
	for _, args := range []string{
		"--workloads load", "--workloads=", "--clients 0", "--clients 1,x", "--clients 10001", "--seconds 0", "--seconds NaN",
		"--warmup -1", "--records 10", "--cache 5", "superfluous",
	} {
		status, out, errOut := plinth(t, append([]string{"bench", "--dir", dir}, strings.Fields(args)...)...)
		if status != statusUsage || out != "" {
			t.Errorf("%s: exit status %d, %q, %q", args, status, out, errOut)
		}
	}
	expectEmpty(t, dir)
	if status, _, errOut := plinth(t, "bench", "--dir", dir+"/missing"); status != statusFailed || !strings.Contains(errOut, "missing") {
		t.Errorf("a missing directory: exit status %d, %q", status, errOut)
	}
}

// changedStore changes what Modify of a store does.
type changedStore struct {
	bench.Store
	modify func(count int64, modify func() (int, error)) (int, error)
	count  atomic.Int64
}

// Modify implements bench.Store.
func (s *changedStore) Modify(ctx context.Context, key []byte, change func([]byte) ([]byte, error)) (int, error) {
	return s.modify(s.count.Add(1), func() (int, error) { return s.Store.Modify(ctx, key, change) })
}

// benchWith runs the command for a long time on Plinth with another Modify.
func benchWith(ctx context.Context, dir string, modify func(int64, func() (int, error)) (int, error)) (status int, out, errOut string) {
	driver := plinthdriver.Driver()
	open := driver.Open
	driver.Open = func(dir string, s bench.Settings) (bench.Store, error) {
		store, err := open(dir, s)
		return &changedStore{Store: store, modify: modify}, err
	}
	env := &environment{}
	args := []string{"bench", "--dir", dir, "--clients", "2", "--workloads", "hot1,read1", "--seconds", "3600", "--warmup", "0", "--records", "300"}
	var o, e bytes.Buffer
	status = execute(ctx, env, newRootCommand(env, benchCommand(driver)), args, strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

func TestInterruptedBenchEndsInOrderWithWhatItMeasured(t *testing.T) {
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	status, out, errOut := benchWith(ctx, dir, func(count int64, modify func() (int, error)) (int, error) {
		if count == 50 {
			interrupt()
		}
		return modify()
	})
	if status != statusInterrupted || !strings.Contains(errOut, "plinth: interrupted") {
		t.Errorf("exit status %d, %q", status, errOut)
	}
	for _, want := range []string{"hot1 with 2 clients: the final value equals", "The run was interrupted"} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not mention %q:\n%s", want, out)
		}
	}
	expectEmpty(t, dir)
}

func TestBenchInterruptedWhileLoadingHasNothingToPrint(t *testing.T) {
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	status, out, _ := benchWith(ctx, dir, func(_ int64, modify func() (int, error)) (int, error) { return modify() })
	if status != statusInterrupted || out != "" {
		t.Errorf("exit status %d, %q", status, out)
	}
	expectEmpty(t, dir)
}

func TestBenchFailsIfUpdatesAreLostEvenWhenInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	status, out, errOut := benchWith(ctx, dir, func(count int64, modify func() (int, error)) (int, error) {
		switch count {
		case 20:
			return 0, nil // Says that it committed.
		case 50:
			interrupt()
		}
		return modify()
	})
	if status != statusFailed || !strings.Contains(errOut, "updates were lost") {
		t.Errorf("exit status %d, %q", status, errOut)
	}
	if !strings.Contains(out, "hot1") || strings.Contains(out, "the final value equals") {
		t.Errorf("printed:\n%s", out)
	}
	expectEmpty(t, dir)
}

func TestBenchReportsAStoreThatFails(t *testing.T) {
	dir := t.TempDir()
	status, out, errOut := benchWith(t.Context(), dir, func(count int64, modify func() (int, error)) (int, error) {
		if count == 20 {
			return 0, errors.New("the disk is gone")
		}
		return modify()
	})
	if status != statusFailed || !strings.Contains(errOut, "hot1: the disk is gone") || !strings.Contains(out, "load") {
		t.Errorf("exit status %d, %q, printed:\n%s", status, errOut, out)
	}
	expectEmpty(t, dir)
}
