# omniauth_openid_connect in Sinatra: https://github.com/omniauth/omniauth_openid_connect#usage
require "omniauth"
require "omniauth_openid_connect"
require "rack/protection"
require "sinatra/base"

class App < Sinatra::Base
  set :server, :webrick
  set :bind, "localhost"
  set :port, ENV.fetch("PORT")
  use Rack::Session::Cookie, secret: "not a secret, but long enough to sign with, and then some more"

  # region sign-in
  use OmniAuth::Builder do
    provider :openid_connect, {
      name: :sso,
      issuer: ENV.fetch("ISSUER"),
      discovery: true,
      scope: [:openid, :email, :profile],
      response_type: :code,
      client_options: {
        identifier: ENV.fetch("CLIENT_ID"),
        secret: ENV.fetch("CLIENT_SECRET"),
        redirect_uri: ENV.fetch("REDIRECT_URI")
      }
    }
  end

  get "/" do
    token = Rack::Protection::AuthenticityToken.token(session)
    %(<form method="post" action="/auth/sso"><input type="hidden" name="authenticity_token" value="#{token}"><button>Sign in</button></form>)
  end

  get "/auth/sso/callback" do
    "Signed in as #{request.env["omniauth.auth"].info.email}"
  end
  # endregion
end

App.run!
