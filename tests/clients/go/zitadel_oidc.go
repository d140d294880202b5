// zitadel/oidc as a relying party: https://github.com/zitadel/oidc/blob/main/example/client/app/app.go
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	"github.com/zitadel/oidc/v3/pkg/oidc"
)

func main() {
	key := []byte("not a secret key")

	// region sign-in
	cookies := httphelper.NewCookieHandler(key, key, httphelper.WithUnsecure())
	options := []rp.Option{rp.WithCookieHandler(cookies)}
	if os.Getenv("WITH_SETTING") != "" {
		options = append(options, rp.WithPKCE(cookies))
	}
	provider, err := rp.NewRelyingPartyOIDC(
		context.Background(),
		os.Getenv("ISSUER"), os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"), os.Getenv("REDIRECT_URI"),
		[]string{"openid", "email", "profile"},
		options...,
	)
	if err != nil {
		panic(err)
	}

	signedIn := func(
		w http.ResponseWriter, r *http.Request, _ *oidc.Tokens[*oidc.IDTokenClaims], _ string, _ rp.RelyingParty,
		info *oidc.UserInfo,
	) {
		fmt.Fprintf(w, "Signed in as %s", info.Email)
	}
	state := func() string { return uuid.New().String() }
	http.Handle("/", rp.AuthURLHandler(state, provider, rp.WithPromptURLParam("Welcome back!")))
	http.Handle("/callback", rp.CodeExchangeHandler(rp.UserinfoCallback(signedIn), provider))
	// endregion
	panic(http.ListenAndServe("localhost:"+os.Getenv("PORT"), nil))
}
