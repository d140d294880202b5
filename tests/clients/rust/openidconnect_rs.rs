// openidconnect: https://docs.rs/openidconnect/latest/openidconnect/#openid-connect-authorization-code-grant
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge, RedirectUrl, Scope,
    TokenResponse,
};
use std::env::var;
use tiny_http::{Header, Response, Server};
use url::Url;

fn main() {
    let server = Server::http(format!("localhost:{}", var("PORT").unwrap())).unwrap();
    let http_client = reqwest::blocking::ClientBuilder::new()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();

    // region sign-in
    let provider_metadata =
        CoreProviderMetadata::discover(&IssuerUrl::new(var("ISSUER").unwrap()).unwrap(), &http_client).unwrap();
    let client = CoreClient::from_provider_metadata(
        provider_metadata,
        ClientId::new(var("CLIENT_ID").unwrap()),
        Some(ClientSecret::new(var("CLIENT_SECRET").unwrap())),
    )
    .set_redirect_uri(RedirectUrl::new(var("REDIRECT_URI").unwrap()).unwrap());

    let (pkce_challenge, pkce_verifier) = PkceCodeChallenge::new_random_sha256();
    let (auth_url, csrf_token, nonce) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            CsrfToken::new_random,
            Nonce::new_random,
        )
        .add_scope(Scope::new("email".to_string()))
        .add_scope(Scope::new("profile".to_string()))
        .set_pkce_challenge(pkce_challenge)
        .url();

    let sign_in = |code: String| -> Result<String, Box<dyn std::error::Error>> {
        let token_response = client
            .exchange_code(AuthorizationCode::new(code))?
            .set_pkce_verifier(openidconnect::PkceCodeVerifier::new(pkce_verifier.secret().clone()))
            .request(&http_client)?;
        let id_token = token_response.id_token().ok_or("no ID token")?;
        let claims = id_token.claims(&client.id_token_verifier(), &nonce)?;
        Ok(format!("Signed in as {}", claims.email().ok_or("no email")?.as_str()))
    };
    // endregion

    for request in server.incoming_requests() {
        let url = Url::parse("http://localhost").unwrap().join(request.url()).unwrap();
        let find = |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let answered = match (url.path(), find("code"), find("state")) {
            ("/callback", Some(code), Some(state)) if &state == csrf_token.secret() => {
                let text = sign_in(code).unwrap_or_else(|fault| format!("not signed in: {fault:?}"));
                request.respond(Response::from_string(text))
            }
            ("/callback", ..) => request.respond(Response::from_string("another state").with_status_code(400)),
            _ => {
                let location = Header::from_bytes("Location", auth_url.as_str()).unwrap();
                request.respond(Response::empty(302).with_header(location))
            }
        };
        answered.unwrap();
    }
}
