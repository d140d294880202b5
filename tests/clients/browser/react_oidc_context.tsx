// react-oidc-context: https://github.com/authts/react-oidc-context#getting-started
import { useEffect } from "react";
import { createRoot } from "react-dom/client";
import { AuthProvider, useAuth } from "react-oidc-context";

declare const env: { ISSUER: string; CLIENT_ID: string; REDIRECT_URI: string };

// region sign-in
const oidcConfig = {
  authority: env.ISSUER,
  client_id: env.CLIENT_ID,
  redirect_uri: env.REDIRECT_URI,
  scope: "openid email profile",
};

function App() {
  const auth = useAuth();
  useEffect(() => {
    if (!auth.isLoading && !auth.isAuthenticated && !auth.error) void auth.signinRedirect();
  }, [auth]);
  return <div>{auth.isAuthenticated ? `Signed in as ${auth.user?.profile.email}` : auth.error?.message}</div>;
}

createRoot(document.getElementById("root")!).render(
  <AuthProvider {...oidcConfig}>
    <App />
  </AuthProvider>,
);
// endregion
