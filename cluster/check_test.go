package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// checkedConfig makes every part reach its limit soon.
func checkedConfig(fs vfs.FS) LocalConfig {
	return LocalConfig{
		FS: fs, Dir: "data", WindowBytes: 128 << 10, MemTableBytes: 128 << 10,
		LogSegmentBytes: 64 << 10, LogCutBytes: 64 << 10, LogCacheBytes: 64 << 10,
	}
}

// openSmall opens a store that gets many files soon.
func openSmall(t *testing.T, fs vfs.FS) *Local {
	t.Helper()
	l, err := OpenLocal(context.Background(), checkedConfig(fs))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// work commits until the log was popped beyond a version, so that the log and
// the engine each hold what the other does not.
func work(t *testing.T, l *Local, beyond wire.Version) {
	t.Helper()
	value := strings.Repeat("v", 10_000)
	for i := range 20_000 {
		if l.Status().Log.Popped[localTag] > beyond && i > 200 {
			return
		}
		if _, err := l.Commit(context.Background(), setRequest(readVersion(t, l), fmt.Sprint("key", i%300), fmt.Sprint(value, i))); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the log was not popped")
}

// worked returns a store's directory after some work and a clean close.
func worked(t *testing.T) *vfs.MemFS {
	t.Helper()
	fs := vfs.NewMem()
	l := openSmall(t, fs)
	work(t, l, 0)
	closeStore(t, l)
	return fs
}

// contents returns all files below a directory, but those that only say who
// has it.
func contents(t *testing.T, fs vfs.FS, dir string) map[string][]byte {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		path := fs.PathJoin(dir, name)
		info, err := fs.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			for file, content := range contents(t, fs, path) {
				files[file] = content
			}
		} else if name != lockFile && name != ownerFile {
			files[path] = read(t, fs, path)
		}
	}
	return files
}

func read(t *testing.T, fs vfs.FS, path string) []byte {
	t.Helper()
	f, err := fs.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// replace writes a file anew.
func replace(t *testing.T, fs vfs.FS, path string, content []byte) {
	t.Helper()
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// filesLike returns the paths of the files with a suffix below a part of the
// directory, in order.
func filesLike(t *testing.T, fs vfs.FS, part, suffix string) []string {
	t.Helper()
	var paths []string
	for path := range contents(t, fs, "data/"+part) {
		if strings.HasSuffix(path, suffix) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// check runs Check, and makes sure that it changed nothing.
func check(t *testing.T, fs vfs.FS) CheckReport {
	t.Helper()
	before := contents(t, fs, "data")
	report, err := Check(context.Background(), fs, "data")
	if err != nil {
		t.Fatal(err)
	}
	after := contents(t, fs, "data")
	for path, content := range before {
		if !bytes.Equal(content, after[path]) {
			t.Errorf("Check changed %s", path)
		}
	}
	if len(after) != len(before) {
		t.Errorf("there were %d files, after Check there are %d", len(before), len(after))
	}
	return report
}

func expectHealthy(t *testing.T, r CheckReport) {
	t.Helper()
	for _, p := range r.Problems {
		t.Errorf("a problem with the %s: %s", p.Part, p.Text)
	}
}

// expectProblem demands a problem with a part that mentions all words.
func expectProblem(t *testing.T, r CheckReport, part string, words ...string) {
	t.Helper()
	for _, p := range r.Problems {
		if p.Part != part {
			continue
		}
		missing := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return strings.Contains(p.Text, w) })
		if len(missing) > 0 {
			t.Errorf("the problem with the %s does not mention %q: %s", part, missing, p.Text)
		}
		return
	}
	t.Errorf("no problem with the %s was found, only %+v", part, r.Problems)
}

func TestCheckOfACleanlyClosedStoreFindsEverythingInOrder(t *testing.T) {
	fs := worked(t)
	r := check(t, fs)
	expectHealthy(t, r)
	if !r.Log.Found || !r.Engine.Found || r.Log.Segments == 0 || r.Log.Records == 0 || r.Log.Batches == 0 || r.Log.Mutations == 0 ||
		r.Engine.Rows == 0 || r.Engine.Version == 0 || r.Log.End < r.Engine.Version || r.Log.Popped[localTag] == 0 || r.Log.Begun != 1 {
		t.Errorf("Check saw %+v", r)
	}
	l := openSmall(t, fs)
	if got := get(t, l, "key7"); !strings.HasPrefix(got, "vvv") {
		t.Errorf("after Check key7 reads %.20q", got)
	}
	closeStore(t, l)
}

func TestCheckOfAStoreThatWasJustMadeIsHealthy(t *testing.T) {
	fs := vfs.NewMem()
	closeStore(t, open(t, fs, "data"))
	expectHealthy(t, check(t, fs))
}

// A crash at any moment, be it while the store is made, leaves a directory that
// is healthy.
func TestCheckAfterACrashFindsNoDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 10 {
		fs := vfs.NewCrashableMem()
		clone := func() *vfs.MemFS {
			return fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		}
		l := openSmall(t, fs)
		young := clone()
		work(t, l, 0)
		clones := []*vfs.MemFS{young, clone()}
		closeStore(t, l)
		for _, fs := range append(clones, clone()) {
			expectHealthy(t, check(t, fs))
			closeStore(t, openSmall(t, fs))
			expectHealthy(t, check(t, fs))
		}
	}
}

func TestCheckNamesTheFileWithAFlippedBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	healthy := worked(t)
	for _, c := range []struct{ part, dir, suffix string }{{"log", logDir, ".wal"}, {"engine", storageDir, ".sst"}} {
		all := filesLike(t, healthy, c.dir, c.suffix)
		if len(all) == 0 {
			t.Fatalf("there is no %s in %s", c.suffix, c.dir)
		}
		path := all[0]
		content := read(t, healthy, path)
		// The first segment is followed by others, so no byte of its records is
		// the torn end of the log; a table has no byte that does not count in its
		// first half.
		for range 20 {
			at := rng.IntN(len(content) / 2)
			damaged := bytes.Clone(content)
			damaged[at] ^= 1 << rng.IntN(8)
			replace(t, healthy, path, damaged)
			words := []string{path[strings.LastIndex(path, "/")+1:]}
			if c.part == "log" {
				words = append(words, "offset")
			}
			expectProblem(t, check(t, healthy), c.part, words...)
		}
		replace(t, healthy, path, content)
	}
	expectHealthy(t, check(t, healthy))
}

func TestCheckFindsDamageInBothPartsAtOnce(t *testing.T) {
	fs := worked(t)
	for _, path := range []string{filesLike(t, fs, logDir, ".wal")[0], filesLike(t, fs, storageDir, ".sst")[0]} {
		content := read(t, fs, path)
		content[len(content)/3] ^= 1
		replace(t, fs, path, content)
	}
	r := check(t, fs)
	expectProblem(t, r, "log", "damaged")
	expectProblem(t, r, "engine", "corrupt")
}

func TestCheckFindsALogThatWasCutShort(t *testing.T) {
	for name, cut := range map[string]func(t *testing.T, fs *vfs.MemFS) (part string, words []string){
		"within a segment": func(t *testing.T, fs *vfs.MemFS) (string, []string) {
			path := filesLike(t, fs, logDir, ".wal")[0]
			content := read(t, fs, path)
			replace(t, fs, path, content[:len(content)/2])
			return "log", []string{path, "offset"}
		},
		"by a segment in the middle": func(t *testing.T, fs *vfs.MemFS) (string, []string) {
			all := filesLike(t, fs, logDir, ".wal")
			if len(all) < 3 {
				t.Fatalf("only %d segments", len(all))
			}
			if err := fs.Remove(all[1]); err != nil {
				t.Fatal(err)
			}
			return "log", []string{"missing"}
		},
		"by all but its beginning": func(t *testing.T, fs *vfs.MemFS) (string, []string) {
			// Of an earlier life, before the engine got as far as it is.
			early := vfs.NewMem()
			closeStore(t, openSmall(t, early))
			for _, path := range filesLike(t, fs, logDir, "") {
				if err := fs.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			for path, content := range contents(t, early, "data/"+logDir) {
				replace(t, fs, path, content)
			}
			return "versions", []string{"data/storage", "the log ends at version"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			fs := worked(t)
			part, words := cut(t, fs)
			expectProblem(t, check(t, fs), part, words...)
			expectRefused(t, fs, words...)
		})
	}
}

func TestCheckSaysThatAPartIsMissing(t *testing.T) {
	for part, words := range map[string][]string{
		storageDir: {"the engine, directory data/storage, is missing", "backup"},
		logDir:     {"the log, directory data/log, is missing", "backup"},
	} {
		fs := worked(t)
		if err := fs.RemoveAll("data/" + part); err != nil {
			t.Fatal(err)
		}
		expectProblem(t, check(t, fs), "versions", words...)
		expectRefused(t, fs, words...)
	}
}

func TestCheckFindsAnEngineOlderThanItsLog(t *testing.T) {
	fs := worked(t)
	early, version := contents(t, fs, "data/"+storageDir), check(t, fs).Engine.Version
	l := openSmall(t, fs)
	work(t, l, version)
	closeStore(t, l)
	for path := range contents(t, fs, "data/"+storageDir) {
		if err := fs.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for path, content := range early {
		replace(t, fs, path, content)
	}
	expectProblem(t, check(t, fs), "versions", "earlier state")
	expectRefused(t, fs, "earlier state")
}

// expectRefused demands that the store does not open, the second time as
// little as the first.
func expectRefused(t *testing.T, fs vfs.FS, words ...string) {
	t.Helper()
	for range 2 {
		l, err := OpenLocal(context.Background(), checkedConfig(fs))
		if err == nil {
			closeStore(t, l)
		}
		if !errors.Is(err, wire.ErrFileCorrupt) {
			t.Fatalf("C4: opening it all the same: %v", err)
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("the error does not mention %q: %v", word, err)
			}
		}
	}
}

func TestCheckRefusesWhatIsNoStoreOfThisFormat(t *testing.T) {
	fs := worked(t)
	replace(t, fs, "data/"+formatFile, []byte(formatPrefix+"2\n"))
	if _, err := Check(context.Background(), fs, "data"); !errors.Is(err, wire.ErrNewerFormat) {
		t.Errorf("a newer format: %v", err)
	}
	if err := fs.Remove("data/" + formatFile); err != nil {
		t.Fatal(err)
	}
	_, err := Check(context.Background(), fs, "data")
	if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), "restore that file") {
		t.Errorf("no format file beside a log: %v", err)
	}
	if err := fs.MkdirAll("other", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(context.Background(), fs, "other"); !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), "not a data directory") {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := Check(context.Background(), fs, "nowhere"); !errors.Is(err, wire.ErrIO) || !strings.Contains(err.Error(), "no directory") {
		t.Errorf("no directory at all: %v", err)
	}
	if names, err := fs.List("other"); err != nil || len(names) != 0 {
		t.Errorf("Check left %v in a directory that is no store (%v)", names, err)
	}
}

func TestCheckOfADirectoryInUseSaysWhoHasIt(t *testing.T) {
	dir := t.TempDir()
	l := open(t, vfs.Default, dir)
	for _, name := range []string{dir, dir + "/../" + filepath.Base(dir)} {
		_, err := Check(context.Background(), vfs.Default, name)
		if !errors.Is(err, wire.ErrDirectoryInUse) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
			t.Errorf("C1: Check of %s, which is in use: %v", name, err)
		}
	}
	closeStore(t, l)
	r, err := Check(context.Background(), vfs.Default, dir)
	if err != nil {
		t.Fatal(err)
	}
	expectHealthy(t, r)
}

func TestCheckEndsWithItsContext(t *testing.T) {
	fs := worked(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r, err := Check(ctx, fs, "data"); !errors.Is(err, context.Canceled) || len(r.Problems) != 0 {
		t.Errorf("Check after the end of its context: %v, %+v", err, r.Problems)
	}
}
