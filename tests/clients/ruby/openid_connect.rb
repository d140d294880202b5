# openid_connect: https://github.com/nov/openid_connect/wiki/Client-Discovery
require "openid_connect"
require "sinatra/base"

class App < Sinatra::Base
  set :server, :webrick
  set :bind, "localhost"
  set :port, ENV.fetch("PORT")
  use Rack::Session::Cookie, secret: "not a secret, but long enough to sign with, and then some more"

  # region sign-in
  discovered = OpenIDConnect::Discovery::Provider::Config.discover! ENV.fetch("ISSUER")
  new_client = lambda do
    OpenIDConnect::Client.new(
      identifier: ENV.fetch("CLIENT_ID"),
      secret: ENV.fetch("CLIENT_SECRET"),
      redirect_uri: ENV.fetch("REDIRECT_URI"),
      authorization_endpoint: discovered.authorization_endpoint,
      token_endpoint: discovered.token_endpoint,
      userinfo_endpoint: discovered.userinfo_endpoint
    )
  end

  get "/" do
    session[:state] = SecureRandom.hex(16)
    session[:nonce] = SecureRandom.hex(16)
    redirect new_client.call.authorization_uri(
      scope: [:email, :profile],
      state: session[:state],
      nonce: session[:nonce]
    )
  end

  get "/callback" do
    halt 400, "another state" unless params[:state] == session[:state]
    client = new_client.call
    client.authorization_code = params[:code]
    token = client.access_token!
    id_token = OpenIDConnect::ResponseObject::IdToken.decode token.id_token, discovered.jwks
    id_token.verify! issuer: ENV.fetch("ISSUER"), client_id: ENV.fetch("CLIENT_ID"), nonce: session[:nonce]
    "Signed in as #{id_token.raw_attributes[:email]}"
  end
  # endregion
end

App.run!
