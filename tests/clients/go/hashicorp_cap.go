// HashiCorp's cap: https://github.com/hashicorp/cap/tree/main/oidc/examples/spa
package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/hashicorp/cap/oidc"
)

func main() {
	// region sign-in
	config, err := oidc.NewConfig(
		os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), oidc.ClientSecret(os.Getenv("CLIENT_SECRET")),
		[]oidc.Alg{oidc.RS256}, []string{os.Getenv("REDIRECT_URI")},
	)
	if err != nil {
		panic(err)
	}
	provider, err := oidc.NewProvider(config)
	if err != nil {
		panic(err)
	}
	requests := map[string]oidc.Request{} // an application keeps it with the session

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		request, err := oidc.NewRequest(2*time.Minute, os.Getenv("REDIRECT_URI"), oidc.WithScopes("email", "profile"))
		if err != nil {
			panic(err)
		}
		requests[request.State()] = request
		url, err := provider.AuthURL(r.Context(), request)
		if err != nil {
			panic(err)
		}
		http.Redirect(w, r, url, http.StatusFound)
	})

	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		state := r.FormValue("state")
		token, err := provider.Exchange(r.Context(), requests[state], state, r.FormValue("code"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		var claims struct{ Email string }
		if err := token.IDToken().Claims(&claims); err != nil {
			panic(err)
		}
		fmt.Fprintf(w, "Signed in as %s", claims.Email)
	})
	// endregion
	panic(http.ListenAndServe("localhost:"+os.Getenv("PORT"), nil))
}
