package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
)

// contents reads the whole store.
func contents(db *kv.Database) (map[string]string, error) {
	return kv.ReadTransact(context.Background(), db, func(r kv.Reader) (map[string]string, error) {
		values := map[string]string{}
		for row, err := range r.Range(kv.AllKeys(), kv.RangeOptions{}).All() {
			if err != nil {
				return nil, err
			}
			values[string(row.Key)] = string(row.Value)
		}
		return values, nil
	})
}

// openAndRead opens a store and reads all of it.
func openAndRead(fs vfs.FS) (map[string]string, error) {
	db, store, err := embedded.Open("data", embedded.WithFS(fs), small())
	if err != nil {
		return nil, err
	}
	values, err := contents(db)
	if closeErr := store.Close(); err == nil {
		err = closeErr
	}
	return values, err
}

// damages are what may happen to a file.
var damages = map[string]func(fs vfs.FS, path string) error{
	"removed": func(fs vfs.FS, path string) error { return fs.Remove(path) },
	"emptied": func(fs vfs.FS, path string) error { return rewrite(fs, path, func([]byte) []byte { return nil }) },
	"halved": func(fs vfs.FS, path string) error {
		return rewrite(fs, path, func(b []byte) []byte { return b[:len(b)/2] })
	},
	"foreign": func(fs vfs.FS, path string) error {
		return rewrite(fs, path, func([]byte) []byte { return []byte("garbage\n") })
	},
}

// rewrite replaces what a file holds.
func rewrite(fs vfs.FS, path string, change func([]byte) []byte) error {
	f, err := fs.Open(path)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if f, err = fs.Create(path, vfs.WriteCategoryUnspecified); err != nil {
		return err
	}
	_, err = f.Write(change(content))
	return errors.Join(err, f.Close())
}

// Whatever file of a closed store is damaged: either all is there, or the error
// is about damage, in one line, and says where and what to do.
func TestADamagedFileLosesNothingUnnoticed(t *testing.T) {
	whole, want := filled(t)
	noticed := 0
	for _, path := range append(append(files(t, whole, "log", ""), files(t, whole, "storage", "")...), "data/FORMAT", "data/CLOSED", "data/LOCK") {
		for name, damage := range damages {
			fs := vfs.NewMem()
			if ok, err := vfs.Clone(whole, fs, "data", "data"); err != nil || !ok {
				t.Fatal(ok, err)
			}
			if err := damage(fs, path); err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("%s was %s", path, name)
			got, err := openAndRead(fs)
			if err == nil {
				if !maps.Equal(got, want) {
					t.Errorf("%s: %d of %d rows are there, or others, and no error", what, len(got), len(want))
				}
				continue
			}
			noticed++
			text := err.Error()
			if !errors.Is(err, kv.ErrFileCorrupt) || strings.Contains(text, "\n") || !strings.Contains(text, "data") ||
				!strings.Contains(text, "restore") && !strings.Contains(text, "remove that file") {
				t.Errorf("%s: %q", what, text)
			}
		}
	}
	if noticed < 10 {
		t.Errorf("only %d damages were noticed", noticed)
	}
}
