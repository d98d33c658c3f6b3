package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

// A last log file that is cut short or gone after an orderly end must not pass
// for the torn end of a crash.
func TestALogThatLostItsEndAfterACloseIsNoticed(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, fs vfs.FS, path string){
		"cut short": func(t *testing.T, fs vfs.FS, path string) {
			whole, err := readWhole(fs, path)
			if err != nil {
				t.Fatal(err)
			}
			writeWhole(t, fs, path, whole[:4500])
		},
		"gone": func(t *testing.T, fs vfs.FS, path string) {
			if err := fs.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			fs := vfs.NewMem()
			l := open(t, fs, "data")
			for range 5 {
				if _, err := l.Commit(context.Background(), setRequest(readVersion(t, l), "key", "value")); err != nil {
					t.Fatal(err)
				}
			}
			closeStore(t, l)
			names, err := fs.List("data/log")
			if err != nil {
				t.Fatal(err)
			}
			newest := ""
			for _, n := range names {
				if strings.HasSuffix(n, ".wal") && n > newest {
					newest = n
				}
			}
			damage(t, fs, "data/log/"+newest)
			if _, err := OpenLocal(context.Background(), LocalConfig{FS: fs, Dir: "data"}); !errors.Is(err, wire.ErrFileCorrupt) {
				t.Errorf("open: %v, want file_corrupt", err)
			}
			report, err := Check(context.Background(), fs, "data")
			if err != nil || len(report.Problems) == 0 {
				t.Errorf("check: %+v, %v", report.Problems, err)
			}
		})
	}
}

func TestASpoiltClosedFileIsNamed(t *testing.T) {
	fs := vfs.NewMem()
	closeStore(t, open(t, fs, "data"))
	writeWhole(t, fs, "data/"+closedFile, []byte("nonsense"))
	_, err := OpenLocal(context.Background(), LocalConfig{FS: fs, Dir: "data"})
	if !errors.Is(err, wire.ErrFileCorrupt) || !strings.Contains(err.Error(), closedFile) {
		t.Errorf("open: %v", err)
	}
}

func readWhole(fs vfs.FS, path string) ([]byte, error) {
	info, err := fs.Stat(path)
	if err != nil {
		return nil, err
	}
	f, err := fs.Open(path)
	if err != nil {
		return nil, err
	}
	whole := make([]byte, info.Size())
	_, err = f.ReadAt(whole, 0)
	return whole, errors.Join(err, f.Close())
}

func writeWhole(t *testing.T, fs vfs.FS, path string, content []byte) {
	t.Helper()
	f, err := fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}
