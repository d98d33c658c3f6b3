package bugs

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// fileDiff is the change of one file.
type fileDiff struct {
	// path is relative to the root of the source tree.
	path  string
	hunks []hunk
}

// hunk replaces the lines old by the lines new; both hold their line ends, and
// both hold the lines around the change.
type hunk struct {
	// line is where it stands in the diff.
	line     int
	old, new []string
}

var (
	errNoHunk  = errors.New("the diff changes nothing")
	errOutside = errors.New("the diff names a file outside the source tree")
)

// parseDiff reads a unified diff of one or more files. first is the number of
// its first line, for errors.
func parseDiff(lines []string, first int) (files []fileDiff, err error) {
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSuffix(lines[i], "\n")
		switch {
		case strings.HasPrefix(line, "--- ") && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "+++ "):
			i++
			path, err := pathOf(lines[i])
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", first+i, err)
			}
			files = append(files, fileDiff{path: path})
		case strings.HasPrefix(line, "@@ ") && len(files) > 0:
			file := &files[len(files)-1]
			file.hunks = append(file.hunks, hunk{line: first + i})
		case len(files) > 0 && len(files[len(files)-1].hunks) > 0 && line != "":
			hunks := files[len(files)-1].hunks
			if err := hunks[len(hunks)-1].add(lines[i]); err != nil {
				return nil, fmt.Errorf("line %d: %w", first+i, err)
			}
		default:
			return nil, fmt.Errorf("line %d: %.40q is not part of a unified diff", first+i, line)
		}
	}
	if len(files) == 0 {
		return nil, errNoHunk
	}
	for _, f := range files {
		if len(f.hunks) == 0 {
			return nil, fmt.Errorf("%s: %w", f.path, errNoHunk)
		}
		for _, h := range f.hunks {
			if slices.Equal(h.old, h.new) {
				return nil, fmt.Errorf("line %d: %w", h.line, errNoHunk)
			}
		}
	}
	return files, nil
}

// pathOf returns the file that a line "+++ b/path" names.
func pathOf(line string) (string, error) {
	name, _, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "+++ ")), "\t")
	path := strings.TrimPrefix(name, "b/")
	if !filepath.IsLocal(path) {
		return "", fmt.Errorf("%w: %s", errOutside, name)
	}
	return path, nil
}

func (h *hunk) add(line string) error {
	text := line[1:]
	switch line[0] {
	case ' ':
		h.old, h.new = append(h.old, text), append(h.new, text)
	case '-':
		h.old = append(h.old, text)
	case '+':
		h.new = append(h.new, text)
	default:
		return fmt.Errorf("%.40q begins with none of space, + and -", line)
	}
	return nil
}

// apply returns the lines of a file with all hunks applied. Every hunk must
// fit in exactly one place (B1).
func (f *fileDiff) apply(content []byte) ([]byte, error) {
	lines := slices.Collect(strings.Lines(string(content)))
	for _, h := range f.hunks {
		places := h.places(lines)
		if len(places) != 1 {
			return nil, fmt.Errorf("line %d: the hunk's old lines stand %d times in %s, not once: the code has changed, so write the patch anew", h.line, len(places), f.path)
		}
		lines = slices.Replace(lines, places[0], places[0]+len(h.old), h.new...)
	}
	return []byte(strings.Join(lines, "")), nil
}

// places returns where the old lines of the hunk stand.
func (h *hunk) places(lines []string) (places []int) {
	for i := 0; i+len(h.old) <= len(lines); i++ {
		if slices.Equal(lines[i:i+len(h.old)], h.old) {
			places = append(places, i)
		}
	}
	return places
}
