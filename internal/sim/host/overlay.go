package host

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// writeOverlay writes the replaced files to dir, and the list of them that the
// compiler reads, and returns the name of the list.
func (b *builder) writeOverlay(dir string) (string, error) {
	list := struct{ Replace map[string]string }{make(map[string]string)}
	for name, content := range b.Overlay {
		if !filepath.IsLocal(name) {
			return "", fmt.Errorf("overlay: %s is not a path inside the source tree", name)
		}
		backing := filepath.Join(dir, key([]byte(name))+".go")
		if err := os.WriteFile(backing, content, 0o644); err != nil {
			return "", err
		}
		list.Replace[filepath.Join(b.Root, name)] = backing
	}
	data, err := json.Marshal(list)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, data, 0o644)
}
