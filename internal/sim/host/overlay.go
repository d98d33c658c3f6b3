package host

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// writeOverlay writes the replaced files and the list that the compiler reads,
// and returns the name of the list, or nothing if no file is replaced.
func (b *builder) writeOverlay() (string, error) {
	if len(b.Overlay) == 0 {
		return "", nil
	}
	list := struct{ Replace map[string]string }{make(map[string]string)}
	for name, content := range b.Overlay {
		if !filepath.IsLocal(name) {
			return "", fmt.Errorf("overlay: %s is not a path inside the source tree", name)
		}
		backing := filepath.Join(b.dir, "overlay-"+key(content)+".go")
		if err := os.WriteFile(backing, content, 0o644); err != nil {
			return "", err
		}
		list.Replace[filepath.Join(b.Root, name)] = backing
	}
	data, err := json.Marshal(list)
	if err != nil {
		return "", err
	}
	path := filepath.Join(b.dir, "overlay.json")
	return path, os.WriteFile(path, data, 0o644)
}
