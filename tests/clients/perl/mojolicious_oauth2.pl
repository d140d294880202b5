# Mojolicious::Plugin::OAuth2: https://metacpan.org/pod/Mojolicious::Plugin::OAuth2
use Mojolicious::Lite -signatures;

BEGIN { $ENV{MOJO_CA_FILE} = $ENV{SSL_CERT_FILE} }

# region sign-in
plugin OAuth2 => {
  providers => {
    sso => {
      key            => $ENV{CLIENT_ID},
      secret         => $ENV{CLIENT_SECRET},
      well_known_url => "$ENV{ISSUER}/.well-known/openid-configuration",
    }
  }
};

get '/callback' => sub ($c) {
  my $asked = {
    redirect_uri    => $ENV{REDIRECT_URI},
    scope           => 'openid email profile',
    authorize_query => {response_type => 'code'},
  };
  $c->oauth2->get_token_p(sso => $asked)->then(sub ($token) {
    return unless $token;    # on the way to the provider
    my $url = app->oauth2->providers->{sso}{userinfo_url};
    return $c->ua->get_p($url, {Authorization => "Bearer $token->{access_token}"})->then(sub ($tx) {
      $c->render(text => 'Signed in as ' . $tx->res->json->{email});
    });
  })->catch(sub ($fault) { $c->render(text => $fault, status => 500) });
};
# endregion

app->start('daemon', '-l', "http://localhost:$ENV{PORT}");
