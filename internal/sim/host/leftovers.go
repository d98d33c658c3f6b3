package host

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
)

// What is kept of former builds: each has a program of 25 MB, each copy of
// Pebble 15 MB.
const (
	keptBuilds = 8
	keptCopies = 3
	// unfinishedAge is how old a copy in the making must be to have been given
	// up.
	unfinishedAge = time.Hour
)

// removeLeftovers removes the builds of source trees and the copies of modules
// that were not used for the longest time, and copies that were given up. The
// build that this is called for holds its own lock. What cannot be removed
// stays: it costs room, not correctness.
func (b *builder) removeLeftovers() {
	for i, dir := range lastUsed(filepath.Join(b.cache, "build-*")) {
		if i >= keptBuilds {
			removeBuild(dir)
		}
	}
	for i, dir := range lastUsed(filepath.Join(b.cache, "pebble-v*")) {
		if i >= keptCopies {
			_ = os.RemoveAll(dir)
		}
	}
	for _, pattern := range []string{filepath.Join(b.cache, "pebble-*.tmp*"), filepath.Join(b.dir, "overlay-*")} {
		for _, dir := range lastUsed(pattern) {
			if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > unfinishedAge {
				_ = os.RemoveAll(dir)
			}
		}
	}
}

// removeBuild removes a build unless it is under way.
func removeBuild(dir string) {
	lock := flock.New(filepath.Join(dir, "LOCK"))
	if locked, err := lock.TryLock(); err != nil || !locked {
		return
	}
	defer lock.Unlock()
	_ = os.RemoveAll(dir)
}

// markUsed notes that dir was used now.
func markUsed(dir string) {
	now := time.Now()
	_ = os.Chtimes(dir, now, now)
}

// lastUsed lists the directories that match pattern, the one used last first.
func lastUsed(pattern string) []string {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	used := make(map[string]time.Time)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			used[path] = info.ModTime()
		}
	}
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(used[b].Compare(used[a]), cmp.Compare(a, b))
	})
	return paths
}
