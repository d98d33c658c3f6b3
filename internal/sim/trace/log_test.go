package trace

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestHashDependsOnEveryLineItsTimeAndTheOrder(t *testing.T) {
	sum := func(lines ...string) string {
		l := New(0, nil)
		for i, s := range lines {
			l.Add(time.Duration(i)*time.Second, []byte(s))
		}
		return l.Sum()
	}
	base := sum("a", "b", "c")
	if base != sum("a", "b", "c") {
		t.Error("T1: the same lines gave two hashes")
	}
	for _, other := range []string{sum("a", "b"), sum("a", "c", "b"), sum("a", "b", "d"), sum("a", "", "b", "c")} {
		if other == base {
			t.Error("T1: different lines gave one hash")
		}
	}
	late := New(0, nil)
	for i, s := range []string{"a", "b", "c"} {
		late.Add(time.Duration(i)*time.Second+time.Nanosecond, []byte(s))
	}
	if late.Sum() == base {
		t.Error("T1: other times gave the same hash")
	}
}

func TestTailAndSinkDoNotChangeTheHash(t *testing.T) {
	var all strings.Builder
	plain, full := New(0, nil), New(3, &all)
	for i := range 10 {
		line := []byte(fmt.Sprint("line ", i))
		plain.Add(time.Duration(i), line)
		full.Add(time.Duration(i), line)
	}
	if err := full.Flush(); err != nil {
		t.Fatal(err)
	}
	if plain.Sum() != full.Sum() {
		t.Error("T1: keeping lines changed the hash")
	}
	want := []string{"0.000000007 line 7\n", "0.000000008 line 8\n", "0.000000009 line 9\n"}
	if got := full.Tail(); !slices.Equal(got, want) {
		t.Errorf("T2: tail = %q, want %q", got, want)
	}
	if got := strings.Count(all.String(), "\n"); got != 10 {
		t.Errorf("sink got %d lines, want 10", got)
	}
	if !strings.HasSuffix(all.String(), strings.Join(want, "")) {
		t.Error("sink and tail differ")
	}
}

func TestTailOfAShortRunHoldsWhatThereIs(t *testing.T) {
	l := New(5, nil)
	l.Add(1500*time.Millisecond, []byte("x"))
	if got := l.Tail(); !slices.Equal(got, []string{"1.500000000 x\n"}) {
		t.Errorf("T2: tail = %q", got)
	}
}

func TestALineWithLineEndsStaysOneLine(t *testing.T) {
	l := New(5, nil)
	l.Add(0, []byte("a\nb"))
	if got := l.Tail(); !slices.Equal(got, []string{"0.000000000 a b\n"}) {
		t.Errorf("tail = %q", got)
	}
}

type brokenPipe struct{}

var errPipe = errors.New("pipe is broken")

func (brokenPipe) Write([]byte) (int, error) { return 0, errPipe }

func TestFlushReturnsTheErrorOfTheSink(t *testing.T) {
	l := New(0, brokenPipe{})
	l.Add(0, []byte("x"))
	if err := l.Flush(); !errors.Is(err, errPipe) {
		t.Errorf("Flush = %v, want %v", err, errPipe)
	}
}
