package clients;

import io.quarkus.oidc.IdToken;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import org.eclipse.microprofile.jwt.JsonWebToken;

@Path("/")
public class App {
    @Inject
    @IdToken
    JsonWebToken idToken;

    @GET
    @Produces("text/html")
    public String index() {
        return "Signed in as " + idToken.getClaim("email");
    }
}
