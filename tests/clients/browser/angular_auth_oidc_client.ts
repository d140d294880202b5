// angular-auth-oidc-client: https://angular-auth-oidc-client.com/docs/intro
import "@angular/compiler";
import { provideHttpClient } from "@angular/common/http";
import { Component, inject, provideZonelessChangeDetection, signal } from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import { provideRouter } from "@angular/router";
import { OidcSecurityService, provideAuth } from "angular-auth-oidc-client";

declare const env: { ISSUER: string; CLIENT_ID: string; REDIRECT_URI: string };

// region sign-in
const auth = provideAuth({
  config: {
    authority: env.ISSUER,
    redirectUrl: env.REDIRECT_URI,
    clientId: env.CLIENT_ID,
    scope: "openid email profile",
    responseType: "code",
  },
});

@Component({ selector: "app-root", template: "{{ who() }}" })
class App {
  who = signal("");

  constructor() {
    const oidcSecurityService = inject(OidcSecurityService);
    oidcSecurityService.checkAuth().subscribe(({ isAuthenticated, userData, errorMessage }) => {
      if (isAuthenticated) this.who.set(`Signed in as ${userData.email}`);
      else if (errorMessage) this.who.set(errorMessage);
      else oidcSecurityService.authorize();
    });
  }
}
// endregion

await bootstrapApplication(App, {
  providers: [provideZonelessChangeDetection(), provideHttpClient(), provideRouter([{ path: "**", children: [] }]), auth],
});
