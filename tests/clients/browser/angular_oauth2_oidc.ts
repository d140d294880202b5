// angular-oauth2-oidc: https://github.com/manfredsteyer/angular-oauth2-oidc#logging-in
import "@angular/compiler";
import { provideHttpClient } from "@angular/common/http";
import { Component, inject, provideZonelessChangeDetection, signal } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { OAuthService, provideOAuthClient } from "angular-oauth2-oidc";

declare const env: { ISSUER: string; CLIENT_ID: string; REDIRECT_URI: string };

// region sign-in
const authCodeFlowConfig = {
  issuer: env.ISSUER,
  redirectUri: env.REDIRECT_URI,
  clientId: env.CLIENT_ID,
  responseType: "code",
  scope: "openid profile email",
};

@Component({ selector: "app-root", template: "{{ who() }}" })
class App {
  who = signal("");

  constructor() {
    const oauthService = inject(OAuthService);
    oauthService.configure(authCodeFlowConfig);
    void oauthService.loadDiscoveryDocumentAndTryLogin().then(() => {
      if (oauthService.hasValidIdToken()) this.who.set(`Signed in as ${oauthService.getIdentityClaims()["email"]}`);
      else oauthService.initCodeFlow();
    });
  }
}
// endregion

await bootstrapApplication(App, {
  providers: [provideZonelessChangeDetection(), provideHttpClient(), provideOAuthClient()],
});
