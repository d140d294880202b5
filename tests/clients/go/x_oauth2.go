// golang.org/x/oauth2 alone, with userinfo: https://pkg.go.dev/golang.org/x/oauth2#example-Config
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"golang.org/x/oauth2"
)

func main() {
	var metadata struct {
		AuthURL     string `json:"authorization_endpoint"`
		TokenURL    string `json:"token_endpoint"`
		UserInfoURL string `json:"userinfo_endpoint"`
	}
	answer, err := http.Get(os.Getenv("ISSUER") + "/.well-known/openid-configuration")
	if err != nil || json.NewDecoder(answer.Body).Decode(&metadata) != nil {
		panic(err)
	}

	// region sign-in
	config := &oauth2.Config{
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		Scopes:       []string{"openid", "email", "profile"},
		RedirectURL:  os.Getenv("REDIRECT_URI"),
		Endpoint:     oauth2.Endpoint{AuthURL: metadata.AuthURL, TokenURL: metadata.TokenURL},
	}
	verifier := oauth2.GenerateVerifier() // an application has one for each sign-in

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		url := config.AuthCodeURL("state", oauth2.AccessTypeOffline, oauth2.S256ChallengeOption(verifier))
		http.Redirect(w, r, url, http.StatusFound)
	})

	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		token, err := config.Exchange(context.Background(), r.URL.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		var person struct{ Email string }
		answer, err := config.Client(context.Background(), token).Get(metadata.UserInfoURL)
		if err != nil || json.NewDecoder(answer.Body).Decode(&person) != nil {
			http.Error(w, "userinfo failed", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "Signed in as %s", person.Email)
	})
	// endregion
	panic(http.ListenAndServe("localhost:"+os.Getenv("PORT"), nil))
}
