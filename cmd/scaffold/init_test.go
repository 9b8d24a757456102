package main

import "testing"

func TestNameFromFolder(t *testing.T) {
	for dir, want := range map[string]string{
		"/srv/shop": "shop", "/srv/My Shop!": "my-shop", "/srv/7up": "up", "/srv/p": "app", "/srv/this": "app", "/srv/---": "app",
		"/srv/a-name-that-is-far-too-long-for-it": "a-name-that-is-far-too-l",
	} {
		if got := nameFromFolder(dir); got != want {
			t.Errorf("the folder %s gives %q, want %q", dir, got, want)
		}
	}
}
