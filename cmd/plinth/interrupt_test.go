package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// interruptSilentPipe runs a command whose standard input says text and then
// nothing more, and interrupts it when it has read that.
func interruptSilentPipe(t *testing.T, text string, args ...string) (status int, out, errOut string) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	in, pipe := io.Pipe()
	defer pipe.Close()
	fed := make(chan error, 1)
	go func() {
		_, err := io.WriteString(pipe, text)
		if err == nil {
			// An empty write ends when it is read: the command is back for more.
			_, err = pipe.Write(nil)
		}
		interrupt()
		fed <- err
	}()
	var o, e bytes.Buffer
	status = run(ctx, args, in, &o, &e)
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	return status, o.String(), e.String()
}

func TestAnInterruptedImportFromASilentPipeKeepsWhatItRead(t *testing.T) {
	dir := t.TempDir()
	status, out, errOut := interruptSilentPipe(t, "a\t1\nb\t2\nc", "import", "--dir", dir, "-")
	if status != statusInterrupted || !strings.HasPrefix(out, "imported 2 rows (4 B) of 2 lines") {
		t.Errorf("exit status %d, printed %q", status, out)
	}
	for _, want := range []string{"- is imported up to line 2. None behind it is. To go on there import it again with --resume", "plinth: interrupted\n"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("no %q in %q", want, errOut)
		}
	}
	if out, _ := mustRun(t, "", "export", "--dir", dir, "-"); out != "a\t1\nb\t2\n" {
		t.Errorf("the store holds %q", out)
	}
}

func TestAnInterruptedScriptFromASilentPipeEnds(t *testing.T) {
	dir := t.TempDir()
	status, out, errOut := interruptSilentPipe(t, "set a 1\nbegin\nset b 2\n", "shell", "--dir", dir)
	if status != statusInterrupted || !strings.HasPrefix(out, "Committed (") || !strings.HasSuffix(errOut, "plinth: interrupted\n") {
		t.Errorf("exit status %d, printed %q and %q", status, out, errOut)
	}
	if out, _ := mustRun(t, "", "export", "--dir", dir, "-"); out != "a\t1\n" {
		t.Errorf("the store holds %q", out)
	}
}

func TestAnInterruptibleReaderPassesEverythingOn(t *testing.T) {
	text := strings.Repeat("0123456789", interruptibleBytes/3)
	in := newInterruptible(t.Context(), strings.NewReader(text))
	if got, err := io.ReadAll(in); err != nil || string(got) != text {
		t.Errorf("read %d bytes of %d, %v", len(got), len(text), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := newInterruptible(ctx, strings.NewReader(text)).Read(make([]byte, 10)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the context: %d bytes, %v", n, err)
	}
}

func TestErrorsThatSayTheSameAreJoinedOnce(t *testing.T) {
	full, other := errors.New("disk full"), errors.New("pipe closed")
	for _, c := range []struct {
		a, b error
		want string
	}{
		{nil, full, "disk full"},
		{full, nil, "disk full"},
		{errors.Join(errors.New("commit of lines 1 to 2"), full), full, "commit of lines 1 to 2\ndisk full"},
		{other, full, "pipe closed\ndisk full"},
	} {
		if got := joinOnce(c.a, c.b); got.Error() != c.want {
			t.Errorf("%v and %v: %q", c.a, c.b, got)
		}
	}
	if err := joinOnce(nil, nil); err != nil {
		t.Error(err)
	}
}

func TestAnInterruptedExportToABlockedPipeEnds(t *testing.T) {
	dir := storeWithRows(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	blocked, free := make(chan struct{}), make(chan struct{})
	defer close(free)
	var errOut bytes.Buffer
	out := writerFunc(func(p []byte) (int, error) {
		close(blocked)
		<-free
		return len(p), nil
	})
	go func() {
		<-blocked
		interrupt()
	}()
	if status := run(ctx, []string{"export", "--dir", dir, "-"}, strings.NewReader(""), out, &errOut); status != statusInterrupted {
		t.Errorf("exit status %d, %q", status, errOut.String())
	}
}

// writerFunc is a function as an io.Writer.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
