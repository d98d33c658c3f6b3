package cluster

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/plinthdb/plinth/internal/wire"
)

func TestAFileInPlaceOfADataDirectoryIsCalledThat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.txt")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := LocalExists(vfs.Default, path)
	if !errors.Is(err, wire.ErrIO) || !strings.Contains(err.Error(), path+" is not a directory") {
		t.Errorf("the error for a file is %v", err)
	}
}
