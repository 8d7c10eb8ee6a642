# The part of the adapter that a smoke call needs: one real request, and errors by the adapters' names.
require "net/http"
require "json"

module GdsApi
  class HTTPErrorResponse < StandardError; end
  class HTTPUnauthorized < HTTPErrorResponse; end
  class HTTPForbidden < HTTPErrorResponse; end
  class HTTPNotFound < HTTPErrorResponse; end

  # As content-store's adapter has them.
  class ItemNotFound < HTTPNotFound; end

  class PublishingApi
    ERRORS = { 401 => HTTPUnauthorized, 403 => HTTPForbidden, 404 => HTTPNotFound, 410 => ItemNotFound }.freeze

    def initialize(url, bearer_token:)
      @url = url
      @bearer_token = bearer_token
    end

    def lookup_content_id(base_path:)
      uri = URI("#{@url}/lookup-by-base-path")
      answer = Net::HTTP.post(uri, { base_paths: [base_path] }.to_json, "Authorization" => "Bearer #{@bearer_token}")
      code = answer.code.to_i
      raise ERRORS.fetch(code, HTTPErrorResponse), answer.body if code >= 400

      JSON.parse(answer.body)
    end
  end
end
