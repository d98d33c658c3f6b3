package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// modulePath is the module whose source tree holds the simulated program.
const modulePath = "github.com/plinthdb/plinth"

// ErrNoSource says that Plinth's source tree was not found.
var ErrNoSource = errors.New("the simulation is compiled from Plinth's source tree, which was not found")

// FindSource returns the root of the source tree that dir lies in.
func FindSource(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := abs; ; at = filepath.Dir(at) {
		if isSource(at) {
			return at, nil
		}
		if at == filepath.Dir(at) {
			return "", fmt.Errorf("%w above %s: run inside a clone of %s, or name one", ErrNoSource, abs, modulePath)
		}
	}
}

func isSource(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" {
			return fields[1] == modulePath
		}
	}
	return false
}

// CacheDir is where the simulation keeps what can be made again: dir, or
// "plinth/sim" below the user's cache directory if dir is empty.
func CacheDir(dir string) (string, error) { return cacheDir(dir) }

// cacheDir returns dir, or below the user's cache directory if dir is empty.
func cacheDir(dir string) (string, error) {
	if dir != "" {
		return filepath.Abs(dir)
	}
	user, err := os.UserCacheDir()
	if err != nil {
		// Without a home directory, as in some containers, any place will do.
		user = os.TempDir()
	}
	return filepath.Join(user, "plinth", "sim"), nil
}
