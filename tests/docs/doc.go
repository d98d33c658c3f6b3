// Package docs runs what the documentation shows. Fenced blocks in Markdown
// files at the root, under docs and beside nested modules are programs,
// fragments and transcripts:
//
//   - go: if it begins with "package main" it is built against this checkout
//     and run in an empty directory. A block of the kind output that follows
//     is what it prints. Any other block is a fragment: it is compiled, with
//     the imports and the names of a glossary that it uses.
//   - console: commands after "$ " are run by sh, one after another, in a
//     directory that all blocks of a document share. The lines below a command
//     are what it prints; a line "..." stands for any number of lines, "..."
//     inside a line for any text. Without such lines the output is not looked
//     at.
//   - console clone: the same, at the root of this checkout.
//
// The tables of the FoundationDB module's page are compared with its code.
//
// Everything has to end with status 0. A plinth binary built from this
// checkout is on the path; what go install installs goes there too.
package docs
