package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// prune removes the files of dir that were not changed for the longest time
// until the rest is no larger than limitBytes.
func prune(dir string, limitBytes int64) error {
	type file struct {
		path    string
		bytes   int64
		changed time.Time
	}
	var files []file
	var sum int64
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return ignoreGone(err)
		}
		info, err := entry.Info()
		if err != nil {
			return ignoreGone(err)
		}
		files = append(files, file{path, info.Size(), info.ModTime()})
		sum += info.Size()
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b file) int { return a.changed.Compare(b.changed) })
	for _, f := range files {
		if sum <= limitBytes {
			break
		}
		if err := os.Remove(f.path); ignoreGone(err) != nil {
			return err
		}
		sum -= f.bytes
	}
	return nil
}

// ignoreGone ignores that another process removed the file first.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
