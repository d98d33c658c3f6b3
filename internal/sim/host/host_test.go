package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSourceIsFoundAboveADirectory(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), "module "+modulePath+"\n\ngo 1.26.0\n")
	// A nested module of Plinth is not the one to compile.
	write(t, filepath.Join(root, "tests", "bench", "go.mod"), "module "+modulePath+"/tests/bench\n")
	got, err := FindSource(filepath.Join(root, "tests", "bench"))
	if err != nil || got != root {
		t.Errorf("FindSource = %s (%v), want %s", got, err, root)
	}
	if _, err := FindSource(t.TempDir()); !errors.Is(err, ErrNoSource) {
		t.Errorf("FindSource outside the tree: %v", err)
	}
}

func TestBuildSaysWhatItNeeds(t *testing.T) {
	if _, err := Build(t.Context(), BuildConfig{Root: t.TempDir(), CacheDir: t.TempDir()}); !errors.Is(err, ErrNoSource) {
		t.Errorf("Build without source: %v", err)
	}
	t.Setenv("PATH", "")
	if _, err := Build(t.Context(), BuildConfig{Root: t.TempDir(), CacheDir: t.TempDir()}); !errors.Is(err, ErrNoGo) {
		t.Errorf("Build without go: %v", err)
	}
}

func TestOverlayNamesFilesInsideTheTreeOnly(t *testing.T) {
	b := &builder{dir: t.TempDir(), BuildConfig: BuildConfig{Root: "/root", Overlay: map[string][]byte{"a/b.go": []byte("package a\n")}}}
	list, err := b.writeOverlay(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(list)
	if err != nil || !strings.Contains(string(data), `"/root/a/b.go"`) {
		t.Errorf("overlay %s (%v)", data, err)
	}
	b.Overlay = map[string][]byte{"../b.go": nil}
	if _, err := b.writeOverlay(b.dir); err == nil {
		t.Error("an overlay outside the tree was accepted")
	}
}

func TestCopyOfAModuleHasNoTests(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	write(t, filepath.Join(from, "a", "a.go"), "package a\n")
	write(t, filepath.Join(from, "a", "a_test.go"), "package a\n")
	write(t, filepath.Join(from, "a", "testdata", "b.go"), "package b\n")
	if err := copyModule(from, to); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"a/a.go": true, "a/a_test.go": false, "a/testdata": false} {
		if _, err := os.Stat(filepath.Join(to, name)); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", name, err, want)
		}
	}
}

func TestPruneRemovesTheOldestFilesFirst(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"old", "middle", "new"} {
		path := filepath.Join(dir, "sub", name)
		write(t, path, strings.Repeat("x", 100))
		changed := time.Now().Add(time.Duration(i-3) * time.Hour)
		if err := os.Chtimes(path, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
	if err := prune(dir, 250); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"old": false, "middle": true, "new": true} {
		if _, err := os.Stat(filepath.Join(dir, "sub", name)); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", name, err, want)
		}
	}
}

func TestClockMovesAtEachLookAndJumpsOverSleep(t *testing.T) {
	c := &clock{check: func() {}}
	first, second := c.nanotime(), c.nanotime()
	if first <= 0 || second-first != int64(lookCost) {
		t.Errorf("two looks: %d, %d", first, second)
	}
	c.sleep(int64(time.Hour))
	c.sleep(-1)
	seconds, nanoseconds := c.walltime()
	if seconds != epochSeconds+3600 || nanoseconds != int32(3*lookCost) {
		t.Errorf("time after an hour: %d s, %d ns", seconds, nanoseconds)
	}
}

func TestClockEndsABusyLoop(t *testing.T) {
	c := &clock{check: func() {}}
	defer func() {
		if p := recover(); p != errBusy || c.now != busyLimit+2*lookCost {
			t.Errorf("panic %v at %v, want %v after %v without a rest", p, c.now, errBusy, busyLimit)
		}
	}()
	c.look()
	c.sleep(1)
	c.now, c.rested = 0, lookCost
	for {
		c.look()
	}
}

func TestHeadKeepsTheBeginning(t *testing.T) {
	h := &head{limit: 5}
	for _, s := range []string{"abc", "def", "ghi"} {
		if n, err := h.Write([]byte(s)); n != 3 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if h.String() != "abcde" {
		t.Errorf("head holds %q", h)
	}
}
