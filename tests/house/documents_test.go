package house

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// moduleFiles reports workspaces anywhere, and replacements in module files
// from which others build: those at the root.
func moduleFiles(t *tree) []finding {
	replace := regexp.MustCompile(`^\s*replace\b`)
	var found []finding
	for _, f := range t.texts {
		switch {
		case path.Ext(f.path) == ".work":
			found = append(found, finding{f.path, 1, "a workspace changes what is built", "delete it: `go install` and -modfile must work (architecture §3)"})
		case path.Ext(f.path) == ".mod" && path.Dir(f.path) == ".":
			for i, line := range strings.Split(f.text, "\n") {
				if replace.MatchString(line) {
					found = append(found, finding{f.path, i + 1, "a replacement breaks `go install`", "require a released version (architecture §3)"})
				}
			}
		}
	}
	return found
}

// link is a reference from one document to another.
type link struct {
	target string
	line   int
}

// documentLinks reports links between documents of the repository that lead
// nowhere: to a file that is not there or a heading that does not exist.
func documentLinks(t *tree) []finding {
	headings := map[string]map[string]bool{}
	for _, f := range t.texts {
		headings[f.path] = anchors(f.text)
	}
	var found []finding
	for _, f := range t.texts {
		if path.Ext(f.path) != ".md" {
			continue
		}
		for _, l := range links(f.text) {
			file, anchor, _ := strings.Cut(l.target, "#")
			name := f.path
			if file != "" {
				name = path.Join(path.Dir(f.path), file)
			}
			if !t.names[name] {
				found = append(found, finding{f.path, l.line, "the link to " + l.target + " leads nowhere", "there is no " + name + " in the repository: correct or remove it"})
			} else if anchor != "" && !headings[name][anchor] {
				found = append(found, finding{f.path, l.line, "the link to " + l.target + " leads to no heading", name + " has no heading of that name: correct or remove it"})
			}
		}
	}
	return found
}

// orphanDocuments reports pages under docs to which no document links.
func orphanDocuments(t *tree) []finding {
	linked := map[string]bool{}
	for _, f := range t.texts {
		for _, l := range links(f.text) {
			file, _, _ := strings.Cut(l.target, "#")
			if name := path.Join(path.Dir(f.path), file); name != f.path {
				linked[name] = true
			}
		}
	}
	var found []finding
	for _, f := range t.texts {
		if under(f.path, "docs") && path.Ext(f.path) == ".md" && !linked[f.path] {
			found = append(found, finding{f.path, 1, "no document links to this page", "add it to docs/README.md or, for a decision, to docs/decisions/README.md"})
		}
	}
	return found
}

// links returns the relative links of a Markdown text outside of code.
func links(text string) []link {
	inline := regexp.MustCompile(`\]\(<?([^)\s>]+)>?[^)]*\)`)
	reference := regexp.MustCompile(`^ {0,3}\[[^\]]+\]:\s+(\S+)`)
	absolute := regexp.MustCompile(`^[a-z][a-z0-9+.-]*:`)
	var all []link
	for i, line := range prose(text) {
		for _, pattern := range []*regexp.Regexp{inline, reference} {
			for _, match := range pattern.FindAllStringSubmatch(line, -1) {
				if !absolute.MatchString(match[1]) {
					all = append(all, link{match[1], i + 1})
				}
			}
		}
	}
	return all
}

// anchors returns the names by which a text's headings can be linked to:
// lower case, spaces as hyphens, other punctuation gone.
func anchors(text string) map[string]bool {
	heading := regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	dropped := regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)
	names := map[string]bool{}
	for _, line := range withoutBlocks(text) {
		if match := heading.FindStringSubmatch(line); match != nil {
			name := dropped.ReplaceAllString(strings.ToLower(match[1]), "")
			names[strings.ReplaceAll(name, " ", "-")] = true
		}
	}
	return names
}

// prose returns the lines of a text with code blocks and code spans blanked.
func prose(text string) []string {
	span := regexp.MustCompile("`[^`]*`")
	lines := withoutBlocks(text)
	for i, line := range lines {
		lines[i] = span.ReplaceAllString(line, "")
	}
	return lines
}

// withoutBlocks returns the lines of a text with fenced code blocks blanked.
func withoutBlocks(text string) []string {
	lines := strings.Split(text, "\n")
	fenced := false
	for i, line := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		if fence {
			fenced = !fenced
		}
		if fence || fenced {
			lines[i] = ""
		}
	}
	return lines
}

func TestModuleFilesFindReplacementsAndWorkspaces(t *testing.T) {
	tree := sample(t, map[string]string{
		"go.mod":             "module m\n\nreplace a => b\n",
		"tools.mod":          "module m\n\n// replace is not used\n",
		"go.work":            "go 1.26\n",
		"tests/bench/go.mod": "module n\n\nreplace m => ../..\n",
	})
	expect(t, moduleFiles(tree), "go.mod:3", "go.work:1")
}

func TestDocumentLinksFindWhatLeadsNowhere(t *testing.T) {
	tree := sample(t, map[string]string{
		"README.md": "[good](docs/a.md) and [bad](docs/z.md)\n[heading](docs/a.md#two-words-5)\n[none](docs/a.md#three)\n" +
			"[web](https://example.com/x) `[code](nowhere.md)`\n```\n[block](nowhere.md)\n```\n[dir](docs)\n[self](#top)\n# Top\n",
		"docs/a.md": "# A\n## Two words (§5)\n```\n# three\n```\n[up](../README.md)\n[out](../../secret)\n\n[ref]: b.md\n",
	})
	expect(t, documentLinks(tree), "README.md:1", "README.md:3", "docs/a.md:7", "docs/a.md:9")
}

func TestOrphanDocumentsFindUnlinkedPages(t *testing.T) {
	tree := sample(t, map[string]string{
		"README.md":      "[docs](docs/README.md)\n",
		"docs/README.md": "[a](a.md#part)\n",
		"docs/a.md":      "# Part\n",
		"docs/b.md":      "[self](#b) [self](b.md)\n# B\n",
		"x/DESIGN.md":    "# Free\n",
	})
	expect(t, orphanDocuments(tree), "docs/b.md:1")
}
