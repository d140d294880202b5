// Nimbus OAuth 2.0 SDK with OpenID Connect extensions:
// https://connect2id.com/products/nimbus-oauth-openid-connect-sdk/examples/openid-connect
package clients;

import com.nimbusds.oauth2.sdk.AuthorizationCode;
import com.nimbusds.oauth2.sdk.AuthorizationCodeGrant;
import com.nimbusds.oauth2.sdk.ResponseType;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.auth.ClientSecretBasic;
import com.nimbusds.oauth2.sdk.auth.Secret;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.State;
import com.nimbusds.openid.connect.sdk.AuthenticationRequest;
import com.nimbusds.openid.connect.sdk.AuthenticationResponseParser;
import com.nimbusds.openid.connect.sdk.Nonce;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponse;
import com.nimbusds.openid.connect.sdk.OIDCTokenResponseParser;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import com.nimbusds.openid.connect.sdk.validators.IDTokenValidator;
import com.nimbusds.jose.JWSAlgorithm;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;

public class App {
    static final State state = new State(); // an application has them with the session
    static final Nonce nonce = new Nonce();

    public static void main(String[] arguments) throws Exception {
        var server = HttpServer.create(new InetSocketAddress("localhost", Integer.parseInt(env("PORT"))), 0);
        var redirectUri = URI.create(env("REDIRECT_URI"));

        // region sign-in
        var issuer = new Issuer(env("ISSUER"));
        var clientId = new ClientID(env("CLIENT_ID"));
        var provider = OIDCProviderMetadata.resolve(issuer);

        server.createContext("/", exchange -> {
            var request = new AuthenticationRequest.Builder(
                    new ResponseType("code"), new Scope("openid", "email", "profile"), clientId, redirectUri)
                .endpointURI(provider.getAuthorizationEndpointURI())
                .state(state)
                .nonce(nonce)
                .build();
            exchange.getResponseHeaders().set("Location", request.toURI().toString());
            exchange.sendResponseHeaders(302, -1);
        });

        server.createContext("/callback", exchange -> {
            try {
                var response = AuthenticationResponseParser.parse(redirectUri.resolve(exchange.getRequestURI()));
                if (!state.equals(response.getState())) {
                    throw new IllegalArgumentException("another state");
                }
                AuthorizationCode code = response.toSuccessResponse().getAuthorizationCode();
                var authentication = new ClientSecretBasic(clientId, new Secret(env("CLIENT_SECRET")));
                var request = new TokenRequest.Builder(
                    provider.getTokenEndpointURI(), authentication, new AuthorizationCodeGrant(code, redirectUri)).build();
                var answer = OIDCTokenResponseParser.parse(request.toHTTPRequest().send());
                var tokens = ((OIDCTokenResponse) answer.toSuccessResponse()).getOIDCTokens();
                var validator = new IDTokenValidator(issuer, clientId, JWSAlgorithm.RS256, provider.getJWKSetURI().toURL());
                var claims = validator.validate(tokens.getIDToken(), nonce);
                say(exchange, 200, "Signed in as " + claims.getStringClaim("email"));
            } catch (Exception fault) {
                say(exchange, 500, fault.toString());
            }
        });
        // endregion
        server.start();
    }

    static void say(HttpExchange exchange, int status, String text) throws java.io.IOException {
        exchange.sendResponseHeaders(status, text.length());
        exchange.getResponseBody().write(text.getBytes());
        exchange.close();
    }

    static String env(String name) {
        return System.getenv(name);
    }
}
