package bugs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Dir is where the bugs are, relative to the root of the source tree.
const Dir = "tests/sim/bugs"

// suffix is that of a bug's file.
const suffix = ".patch"

// ErrUnknown says that there is no bug of a name.
var ErrUnknown = errors.New("there is no such bug")

// Bug is one mistake that can be planted.
type Bug struct {
	// Name is the name of its file, What says in a sentence what it does.
	Name, What string
	root       string
	files      []fileDiff
}

// Read reads all bugs of the source tree, sorted by name.
func Read(root string) ([]Bug, error) {
	paths, err := filepath.Glob(filepath.Join(root, Dir, "*"+suffix))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("planted bugs: %s holds no *%s: %w", filepath.Join(root, Dir), suffix, fs.ErrNotExist)
	}
	var all []Bug
	for _, path := range paths {
		b, err := readBug(root, path)
		if err != nil {
			return nil, fmt.Errorf("planted bug %s: %w", path, err)
		}
		all = append(all, b)
	}
	return all, nil
}

func readBug(root, path string) (Bug, error) {
	b := Bug{Name: strings.TrimSuffix(filepath.Base(path), suffix), root: root}
	data, err := os.ReadFile(path)
	if err != nil {
		return b, err
	}
	what, diff, found := strings.Cut(string(data), "\n\n")
	b.What = strings.Join(strings.Fields(what), " ")
	if !found || b.What == "" || strings.HasPrefix(b.What, "---") {
		return b, errors.New("the file does not begin with what the bug does and an empty line")
	}
	b.files, err = parseDiff(slices.Collect(strings.Lines(diff)), strings.Count(what, "\n")+3)
	return b, err
}

// Choose returns the bugs of the given names, or all of them if the only name
// is "all".
func Choose(all []Bug, names []string) ([]Bug, error) {
	if slices.Equal(names, []string{"all"}) {
		return all, nil
	}
	var chosen []Bug
	for _, name := range names {
		i := slices.IndexFunc(all, func(b Bug) bool { return b.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%w: %q; there are %s", ErrUnknown, name, strings.Join(Names(all), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// Names returns the names of the bugs.
func Names(all []Bug) (names []string) {
	for _, b := range all {
		names = append(names, b.Name)
	}
	return names
}

// Overlay returns the files of the source tree with the bug planted in them,
// by their path relative to the root. It returns an error if the bug does not
// fit the code any more (B1).
func (b *Bug) Overlay() (map[string][]byte, error) {
	overlay := make(map[string][]byte)
	for _, f := range b.files {
		content, err := os.ReadFile(filepath.Join(b.root, f.path))
		if err == nil {
			content, err = f.apply(content)
		}
		if err != nil {
			return nil, fmt.Errorf("planting bug %s: %w", b.Name, err)
		}
		overlay[f.path] = content
	}
	return overlay, nil
}

// Packages returns the directories of the packages that the bug changes.
func (b *Bug) Packages() (dirs []string) {
	for _, f := range b.files {
		dirs = append(dirs, filepath.Dir(f.path))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
