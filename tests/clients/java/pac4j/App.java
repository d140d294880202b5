// pac4j in servlets: https://www.pac4j.org/docs/clients/openid-connect.html and https://github.com/pac4j/jee-pac4j/wiki
package clients;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.EnumSet;
import org.eclipse.jetty.ee10.servlet.FilterHolder;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.pac4j.core.client.Clients;
import org.pac4j.core.config.Config;
import org.pac4j.core.profile.ProfileManager;
import org.pac4j.jee.context.JEEContext;
import org.pac4j.jee.context.JEEFrameworkParameters;
import org.pac4j.jee.context.session.JEESessionStoreFactory;
import org.pac4j.jee.filter.CallbackFilter;
import org.pac4j.jee.filter.SecurityFilter;
import org.pac4j.oidc.client.OidcClient;
import org.pac4j.oidc.config.OidcConfiguration;

public class App extends HttpServlet {
    public static void main(String[] arguments) throws Exception {
        // region sign-in
        var oidc = new OidcConfiguration();
        oidc.setDiscoveryURI(System.getenv("ISSUER") + "/.well-known/openid-configuration");
        oidc.setClientId(System.getenv("CLIENT_ID"));
        oidc.setSecret(System.getenv("CLIENT_SECRET"));
        var callback = System.getenv("REDIRECT_URI").replaceFirst("\\?.*", "");
        var config = new Config(new Clients(callback, new OidcClient(oidc)));
        var callbackFilter = new CallbackFilter(config, "/");
        var securityFilter = new SecurityFilter(config, "OidcClient");
        // endregion

        var handler = new ServletContextHandler("/", ServletContextHandler.SESSIONS);
        handler.addFilter(new FilterHolder(callbackFilter), "/callback", EnumSet.of(DispatcherType.REQUEST));
        handler.addFilter(new FilterHolder(securityFilter), "/", EnumSet.of(DispatcherType.REQUEST));
        handler.addServlet(new ServletHolder(new App()), "/");
        var server = new Server(new InetSocketAddress("localhost", Integer.parseInt(System.getenv("PORT"))));
        server.setHandler(handler);
        server.start();
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        var sessions = JEESessionStoreFactory.INSTANCE.newSessionStore(new JEEFrameworkParameters(request, response));
        var profiles = new ProfileManager(new JEEContext(request, response), sessions);
        var email = profiles.getProfile().map(profile -> profile.getAttribute("email")).orElse("nobody");
        response.getWriter().print("Signed in as " + email);
    }
}
