package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"strings"
)

// Key names a campaign.
type Key struct {
	// Commit is the commit of the source tree, empty outside a repository.
	Commit string `json:"commit,omitempty"`
	// Modified says that the tree differed from the commit.
	Modified bool `json:"modified,omitempty"`
	// Program is the hash of the compiled program.
	Program string `json:"program"`
}

// The length of hashes where they are shown to people.
const (
	shownCommit  = 12
	programBytes = 8
)

// Identify returns the key of the program wasm, compiled from the source tree
// at root.
func Identify(ctx context.Context, root string, wasm []byte) Key {
	sum := sha256.Sum256(wasm)
	k := Key{Program: hex.EncodeToString(sum[:programBytes])}
	commit, err := git(ctx, root, "rev-parse", "HEAD")
	if err != nil {
		return k // no repository, or no git: the program's hash must do
	}
	// New files that are compiled make another program.
	changes, err := git(ctx, root, "status", "--porcelain", "--untracked-files=no")
	k.Commit, k.Modified = commit, err != nil || changes != ""
	return k
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	// Looking at the state must not write to the repository.
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// String names the campaign as people want it.
func (k Key) String() string {
	s := "no commit"
	if k.Commit != "" {
		s = "commit " + k.Commit[:min(len(k.Commit), shownCommit)]
	}
	if k.Modified {
		s += ", modified"
	}
	return s + ", program " + k.Program
}

// fileName is the name of the campaign's file.
func (k Key) fileName() string {
	parts := []string{"uncommitted"}
	if k.Commit != "" {
		parts[0] = k.Commit[:min(len(k.Commit), shownCommit)]
	}
	if k.Modified {
		parts = append(parts, "modified")
	}
	return strings.Join(append(parts, k.Program), "-") + suffix
}
