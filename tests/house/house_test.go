package house

import (
	"os"
	"testing"
)

// TestHouse applies all rules to the repository.
func TestHouse(t *testing.T) {
	repository, err := readTree(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(repository.goes) == 0 || len(repository.texts) == 0 {
		t.Fatal("the repository seems to be empty")
	}
	for name, rule := range map[string]func(*tree) []finding{
		"EveryPackageHasItsComment":       packageComments,
		"ExportedNamesAreDocumented":      exportedDocs,
		"ImportsRunOneWay":                importArrows,
		"TheClientStaysLight":             lightClient,
		"DependenciesStayWhereTheyBelong": dependencyPlaces,
		"FilesAreShort":                   fileLengths,
		"TestsDoNotSleep":                 sleepingTests,
		"NothingIsSkippedOrLeftForLater":  unfinished,
		"ModulesReplaceNothing":           moduleFiles,
		"LinksInTheDocumentationResolve":  documentLinks,
		"EveryPageCanBeFound":             orphanDocuments,
		"CommandsShowExamples":            commandExamples,
	} {
		t.Run(name, func(t *testing.T) {
			for _, f := range rule(repository) {
				t.Errorf("%v", f)
			}
		})
	}
}
