package scenarios

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshchaos/meshchaos/internal/yamlnode"
)

// Expand puts the files that folders and patterns stand for in their place, in
// the order of their names; what is neither stays as it is, for Find. Of a folder
// these are its .yaml and .yml files and those of the folders in it, without
// hidden ones; a pattern is one of path/filepath, unless a file is named so.
//
// left are the files of folders that hold objects of another kind, such as rules
// that a scenario names, and no scenario.
func Expand(args []string) (names, left []string, err error) {
	all, err := matched(args)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range all {
		info, err := os.Stat(name)
		if err != nil || !info.IsDir() || !hasPath(name) && inLibrary(name) {
			names = append(names, name)
			continue
		}
		in, others, err := folder(name)
		if err != nil {
			return nil, nil, err
		}
		names, left = append(names, in...), append(left, others...)
	}
	return names, left, nil
}

// matched puts what patterns match in their place.
func matched(args []string) (all []string, err error) {
	for _, arg := range args {
		some := []string{arg}
		if _, err := os.Stat(arg); err != nil && arg != Stdin && strings.ContainsAny(arg, "*?[") {
			if some, err = matches(arg); err != nil {
				return nil, err
			}
		}
		all = append(all, some...)
	}
	return all, nil
}

func matches(pattern string) ([]string, error) {
	if strings.Contains(pattern, "**") {
		return nil, fmt.Errorf("reading the pattern %q: ** has no meaning; name the folder, which stands for all that is in it", pattern)
	}
	found, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("reading the pattern %q: %w; close the bracket, or quote what is to be taken literally with \\", pattern, err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("reading the pattern %q: no file matches it; is it in another folder?", pattern)
	}
	return found, nil
}

// folder returns the files of scenarios below a folder, and its other YAML files.
func folder(root string) (names, left []string, err error) {
	files, err := yamlBelow(root)
	if err != nil {
		return nil, nil, err
	}
	for _, file := range files {
		if holdsOthers(file) {
			left = append(left, file)
			continue
		}
		names = append(names, file)
	}
	if len(names) == 0 {
		return nil, nil, fmt.Errorf("reading the folder %q: it holds no scenario; meshchaos init NAME writes one to start from", root)
	}
	return names, left, nil
}

// yamlBelow returns the .yaml and .yml files below a folder, without hidden ones.
func yamlBelow(root string) (files []string, err error) {
	err = fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != "." && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() || !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(path)):
			return nil
		}
		files = append(files, filepath.Join(root, path))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the folder %q: %w", root, err)
	}
	return files, nil
}

// ExpandManifests puts the files that folders and patterns stand for in their place,
// as Expand does. Scenarios in folders are left out.
func ExpandManifests(args []string) ([]string, error) {
	all, err := matched(args)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range all {
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			names = append(names, name)
			continue
		}
		files, err := yamlBelow(name)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), scenarioAPI) {
				names = append(names, file)
			}
		}
	}
	return names, nil
}

// holdsOthers says whether a file is plainly none of a scenario: each of its
// documents is an object of another API. What cannot be read may be one.
func holdsOthers(file string) bool {
	text, err := readFile(file, maxSize)
	if err != nil || (&reader{}).guard(text) != nil {
		return false
	}
	nodes, err := documents(text)
	if err != nil || len(nodes) == 0 {
		return false
	}
	for _, node := range nodes {
		api, kind := yamlnode.Pair(node, "apiVersion"), yamlnode.Pair(node, "kind")
		if api == nil || kind == nil {
			return false
		}
		group, ok := yamlnode.Scalar(api.Value)
		if word, isWord := yamlnode.Scalar(kind.Value); !ok || !isWord || word == scenarioKind || strings.HasPrefix(group, "meshchaos") {
			return false
		}
	}
	return true
}
