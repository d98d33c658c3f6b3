package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

const (
	// readyTimeout bounds the opening of the store in the child process, and the
	// time until its first transfer.
	readyTimeout = 30 * time.Second
	// stderrBytes is how much of the child's error output is kept.
	stderrBytes = 4096
)

// Crash runs the child process cmd, kills it without warning some time after
// it is ready, but not before its first transfer was reported, and notes in the
// ledger everything that it had told by then. It returns how long the child was
// at work. It is an error if the child ends by itself.
func Crash(ctx context.Context, cmd *exec.Cmd, after time.Duration, ledger *Ledger) (took time.Duration, err error) {
	listening, cancel := context.WithCancel(ctx)
	defer cancel()
	stdin, err := cmd.StdinPipe() // Open until the end: the child watches it.
	if err != nil {
		return 0, err
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	var errText tail
	cmd.Stderr = &errText
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("start the child process: %w", err)
	}
	k := newKiller(cmd)
	killed := make(chan error, 1)
	go func() { killed <- k.run(listening, after) }()
	readErr := k.listen(stdout, ledger)
	cancel()
	killErr := <-killed
	waitErr := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return k.ran, context.Cause(ctx)
	case killErr != nil:
		return k.ran, errors.Join(killErr, errText.asError())
	case readErr != nil:
		return k.ran, readErr
	case !k.fired || waitErr == nil:
		return k.ran, errors.Join(errors.New("the child process ended before it was killed"), waitErr, errText.asError())
	}
	return k.ran, nil
}

// killer ends a process.
type killer struct {
	cmd *exec.Cmd
	// ready is closed when the child says that it is, working with its first
	// transfer.
	ready, working chan struct{}
	// fired and ran are set before run returns.
	fired bool
	ran   time.Duration
}

func newKiller(cmd *exec.Cmd) *killer {
	return &killer{cmd: cmd, ready: make(chan struct{}), working: make(chan struct{})}
}

// run waits until the child is ready, and for the given time, and kills it. If
// the context ends first it only makes sure that the child ends too.
func (k *killer) run(ctx context.Context, after time.Duration) error {
	defer func() { _ = k.cmd.Process.Kill() }() // A process that has ended stays so.
	late := time.NewTimer(readyTimeout)
	defer late.Stop()
	select {
	case <-k.ready:
	case <-late.C:
		return fmt.Errorf("the child process did not open the store within %v", readyTimeout)
	case <-ctx.Done():
		return nil
	}
	began := time.Now()
	timer := time.NewTimer(after)
	defer timer.Stop()
	select {
	case <-timer.C:
		k.awaitWork(ctx) // on a slow machine the time can pass before it begins
		if ctx.Err() != nil {
			return nil
		}
		err := k.cmd.Process.Kill()
		k.fired = err == nil
		k.ran = time.Since(began)
		if err != nil {
			return fmt.Errorf("kill the child process: %w", err)
		}
	case <-ctx.Done():
	}
	return nil
}

// awaitWork returns with the first transfer, or when that has not come for long.
func (k *killer) awaitWork(ctx context.Context) {
	late := time.NewTimer(readyTimeout)
	defer late.Stop()
	select {
	case <-k.working:
	case <-late.C:
	case <-ctx.Done():
	}
}

// listen reads what the child says until its end. What it had written before it
// was killed is still in the pipe, and counts.
func (k *killer) listen(stdout io.Reader, ledger *Ledger) error {
	lines := bufio.NewReader(stdout)
	for ready, working := false, false; ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil // What has no line end was not said.
		}
		m, err := ParseMessage(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return err
		}
		switch {
		case m.Kind == MessageReady && !ready:
			ready = true
			close(k.ready)
		default:
			ledger.Note(m)
		}
		if !working && len(ledger.Acknowledged) > 0 {
			working = true
			close(k.working)
		}
	}
}

// Note takes in what a message says.
func (l *Ledger) Note(m Message) {
	switch m.Kind {
	case MessageAcknowledged:
		l.Acknowledged[m.ID] = m.Transfer
	case MessageAudited:
		l.Sums[m.Sum]++
	}
}

// tail keeps the last bytes that are written to it.
type tail struct{ text []byte }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if n := len(t.text) - stderrBytes; n > 0 {
		t.text = append(t.text[:0], t.text[n:]...)
	}
	return len(p), nil
}

func (t *tail) asError() error {
	if text := strings.TrimSpace(string(t.text)); text != "" {
		return fmt.Errorf("the child process wrote: %s", text)
	}
	return nil
}
