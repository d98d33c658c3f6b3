package demo

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// MaxFileBytes is the largest file that is imported: it must fit into one
	// transaction with its index rows.
	MaxFileBytes = 8_000_000
	// maxFiles bounds what is kept in memory about files.
	maxFiles = 1_000_000
	// maxPathBytes keeps keys below the limit of the store.
	maxPathBytes = 4_000
)

// Entry is a file of a source tree.
type Entry struct {
	// Path is relative to the tree, with slashes.
	Path  string
	Bytes int64
}

// Source is the list of the files of a tree that are to be imported.
type Source struct {
	Dir     string
	Entries []Entry
	// Bytes is the size of all Entries.
	Bytes int64
	// FoundFiles and FoundBytes count the whole tree; what is not in Entries is
	// beyond the limit, or larger than MaxFileBytes (TooLarge).
	FoundFiles, TooLarge int
	FoundBytes           int64
}

// ListSource lists the regular files below dir until limitBytes are reached; 0
// is no limit. They are in the order of their paths, except that those in the
// top directory "cmd" come last: in Go's own tree these are tools, and a
// limited import should have the packages.
func ListSource(ctx context.Context, dir string, limitBytes int64) (Source, error) {
	s := Source{Dir: dir}
	info, err := os.Stat(dir)
	if err != nil {
		return s, fmt.Errorf("source directory: %w", err)
	}
	if !info.IsDir() {
		return s, fmt.Errorf("source %s is not a directory", dir)
	}
	var all []Entry
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if !d.Type().IsRegular() {
			return nil
		}
		e, err := s.entry(name, d)
		if err == nil && e.Path != "" {
			all = append(all, e)
		}
		return err
	})
	if err != nil {
		return s, fmt.Errorf("list source directory: %w", err)
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return last(a) - last(b) })
	s.choose(all, limitBytes)
	return s, nil
}

// entry looks at one file; the path is empty if it cannot be imported.
func (s *Source) entry(name string, d fs.DirEntry) (Entry, error) {
	info, err := d.Info()
	if err != nil {
		return Entry{}, err
	}
	rel, err := filepath.Rel(s.Dir, name)
	if err != nil {
		return Entry{}, err
	}
	s.FoundFiles++
	s.FoundBytes += info.Size()
	if info.Size() > MaxFileBytes || len(rel) > maxPathBytes {
		s.TooLarge++
		return Entry{}, nil
	}
	return Entry{Path: filepath.ToSlash(rel), Bytes: info.Size()}, nil
}

func last(e Entry) int {
	if strings.HasPrefix(e.Path, "cmd/") {
		return 1
	}
	return 0
}

// choose takes files until a limit is reached.
func (s *Source) choose(all []Entry, limitBytes int64) {
	for i, e := range all {
		if i == maxFiles || limitBytes > 0 && s.Bytes+e.Bytes > limitBytes {
			return
		}
		s.Entries = append(s.Entries, e)
		s.Bytes += e.Bytes
	}
}

// read returns the content of a file as it is now.
func (s *Source) read(e Entry) ([]byte, error) {
	content, err := os.ReadFile(filepath.Join(s.Dir, filepath.FromSlash(e.Path)))
	if err != nil {
		return nil, err
	}
	if len(content) > MaxFileBytes {
		return nil, fmt.Errorf("%s has grown to %d bytes; at most %d can be imported", e.Path, len(content), MaxFileBytes)
	}
	return content, nil
}

// packageOf returns the directory of a file's path.
func packageOf(file string) (dir, name string) { return path.Dir(file), path.Base(file) }
