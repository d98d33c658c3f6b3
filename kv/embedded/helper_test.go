package embedded_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// open opens the store "data" on a file system.
func open(t testing.TB, fs vfs.FS, options ...embedded.Option) (*kv.Database, *embedded.Store) {
	t.Helper()
	db, store, err := embedded.Open("data", append(options, embedded.WithFS(fs))...)
	if err != nil {
		t.Fatal(err)
	}
	return db, store
}

func closeStore(t testing.TB, store *embedded.Store) {
	t.Helper()
	if err := store.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// small makes every part of the store reach its limits soon.
func small() embedded.Option {
	return embedded.WithTuning(func(tuning *embedded.Tuning) {
		tuning.WindowBytes, tuning.MemTableBytes = 64<<10, 64<<10
		tuning.LogSegmentBytes, tuning.LogCutBytes, tuning.LogCacheBytes = 64<<10, 64<<10, 64<<10
		tuning.CacheBytes = 64 << 10
	})
}

func set(db *kv.Database, key, value string) error {
	_, err := kv.Transact(context.Background(), db, func(tx *kv.Transaction) (struct{}, error) {
		tx.Set([]byte(key), []byte(value))
		return struct{}{}, nil
	})
	return err
}

func mustSet(t testing.TB, db *kv.Database, key, value string) {
	t.Helper()
	if err := set(db, key, value); err != nil {
		t.Fatal(err)
	}
}

// get returns a value, "(absent)" if there is none.
func get(db *kv.Database, key string) (string, error) {
	return kv.ReadTransact(context.Background(), db, func(r kv.Reader) (string, error) {
		value, err := r.Get([]byte(key)).Wait()
		if err != nil || value == nil {
			return "(absent)", err
		}
		return string(value), nil
	})
}

func expect(t testing.TB, db *kv.Database, key, want string) {
	t.Helper()
	if got, err := get(db, key); err != nil || got != want {
		t.Errorf("%s is %.40q (%v), want %.40q", key, got, err, want)
	}
}

// files returns the paths of the files with a suffix in a part of the store's
// directory, in order.
func files(t testing.TB, fs vfs.FS, part, suffix string) []string {
	t.Helper()
	names, err := fs.List("data/" + part)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, name := range names {
		if strings.HasSuffix(name, suffix) {
			paths = append(paths, "data/"+part+"/"+name)
		}
	}
	slices.Sort(paths)
	return paths
}

// flip changes one bit of a file.
func flip(t testing.TB, fs vfs.FS, path string, at func(size int) int) {
	t.Helper()
	f, err := fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	i := at(len(content))
	if _, err := f.WriteAt([]byte{content[i] ^ 1}, int64(i)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
