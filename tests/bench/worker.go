package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/plinthdb/plinth/internal/bench"
)

// request asks a worker for one step. The first opens and loads the store and
// has Driver, Dir and Settings; each later one runs a workload. The end of the
// worker's input closes the store.
type request struct {
	Driver   string         `json:"driver,omitempty"`
	Dir      string         `json:"dir,omitempty"`
	Settings bench.Settings `json:"settings"`

	Workload string `json:"workload,omitempty"`
	Profile  string `json:"profile,omitempty"`
}

// reply is a worker's answer to one request.
type reply struct {
	Result bench.Result `json:"result"`
	Error  string       `json:"error,omitempty"`
}

// serveWorker answers requests from in, one JSON value each, until in ends.
func serveWorker(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	requests, replies := json.NewDecoder(in), json.NewEncoder(out)
	var s *bench.Session
	defer func() {
		if s != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	for {
		var req request
		if err := requests.Decode(&req); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var rep reply
		var failure error
		if s == nil {
			s, rep.Result, failure = startSession(ctx, req)
		} else {
			rep.Result, failure = runRequest(ctx, s, req)
		}
		if failure != nil {
			rep.Error = failure.Error()
		}
		if err := replies.Encode(rep); err != nil {
			return err
		}
	}
}

// startSession loads a store and opens it again for the workloads (B4).
func startSession(ctx context.Context, req request) (*bench.Session, bench.Result, error) {
	d, err := driverNamed(req.Driver)
	if err != nil {
		return nil, bench.Result{}, err
	}
	loading, err := bench.Open(d, req.Dir, req.Settings)
	if err != nil {
		return nil, bench.Result{}, err
	}
	r, err := loading.Load(ctx)
	if err := errors.Join(err, loading.Close()); err != nil {
		return nil, r, err
	}
	s, err := bench.Open(d, req.Dir, req.Settings)
	return s, r, err
}

func runRequest(ctx context.Context, s *bench.Session, req request) (bench.Result, error) {
	w, err := bench.WorkloadNamed(req.Workload)
	if err != nil {
		return bench.Result{}, err
	}
	return s.Run(ctx, w, bench.RunOptions{Profile: req.Profile})
}

// worker is a child process that holds one store.
type worker struct {
	name     string
	command  *exec.Cmd
	in       io.WriteCloser
	requests *json.Encoder
	replies  *json.Decoder
}

// startWorker starts a child that will hold a store of the named driver.
func startWorker(ctx context.Context, driverName string) (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, self, workerArgument)
	command.Stderr = os.Stderr
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	return &worker{driverName, command, in, json.NewEncoder(in), json.NewDecoder(out)}, nil
}

// ask sends a request and waits for its result.
func (w *worker) ask(req request) (bench.Result, error) {
	var rep reply
	if err := errors.Join(w.requests.Encode(req), w.replies.Decode(&rep)); err != nil {
		return bench.Result{}, fmt.Errorf("%s: worker process: %w", w.name, err)
	}
	if rep.Error != "" {
		return bench.Result{}, fmt.Errorf("%s: %s", w.name, rep.Error)
	}
	return rep.Result, nil
}

// end closes the store and waits for the child.
func (w *worker) end() error {
	err := w.in.Close()
	if waited := w.command.Wait(); waited != nil {
		err = errors.Join(err, fmt.Errorf("%s: worker process: %w", w.name, waited))
	}
	return err
}
