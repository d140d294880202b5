// goth's provider for OpenID Connect: https://github.com/markbates/goth/blob/master/examples/main.go
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/gorilla/sessions"
	"github.com/markbates/goth"
	"github.com/markbates/goth/gothic"
	"github.com/markbates/goth/providers/openidConnect"
)

func main() {
	gothic.Store = sessions.NewCookieStore([]byte("not a secret"))

	// region sign-in
	provider, err := openidConnect.New(
		os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"), os.Getenv("REDIRECT_URI"),
		os.Getenv("ISSUER")+"/.well-known/openid-configuration",
		"email", "profile",
	)
	if err != nil {
		panic(err)
	}
	goth.UseProviders(provider)
	gothic.GetProviderName = func(*http.Request) (string, error) { return "openid-connect", nil }

	http.HandleFunc("/", gothic.BeginAuthHandler)
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		user, err := gothic.CompleteUserAuth(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "Signed in as %s", user.Email)
	})
	// endregion
	panic(http.ListenAndServe("localhost:"+os.Getenv("PORT"), nil))
}
